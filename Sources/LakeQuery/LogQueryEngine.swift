package import LakePorts

/// Answers LogQL over the table `logs`: the committed snapshot and the WAL's tail beyond it (RDR-1 to RDR-4).
///
/// Every method reads one tenant's rows only. Nothing but footers, metadata and pages is kept between calls.
package struct LogQueryEngine: Sendable {
  let ports: Ports
  let settings: QuerySettings

  package init(ports: Ports, settings: QuerySettings = QuerySettings()) {
    self.ports = ports
    self.settings = settings
  }

  /// Runs a log or metric query.
  package func query(_ request: LogQueryRequest) async throws(QueryError) -> LogQueryResult {
    preconditionFailure("not built yet")
  }

  /// Names of the stream labels that the rows carry: `service_name`, `severity_text` and resource-level attributes.
  /// - Returns: ascending by bytes.
  package func labels(_ request: LabelsRequest) async throws(QueryError) -> [String] {
    preconditionFailure("not built yet")
  }

  /// Values of one label (any that may stand in a selector).
  /// - Returns: ascending by bytes, without the empty value.
  package func labelValues(_ name: String, _ request: LabelsRequest) async throws(QueryError) -> [String] {
    preconditionFailure("not built yet")
  }

  /// The distinct sets of stream labels.
  /// - Returns: ascending by their packed bytes.
  package func series(_ request: LabelsRequest) async throws(QueryError) -> [LabelSet] {
    preconditionFailure("not built yet")
  }

  /// What the query would read, as lines of text: the plan, then what pruning leaves of files and row groups.
  package func explain(_ request: LogQueryRequest) async throws(QueryError) -> [String] {
    preconditionFailure("not built yet")
  }

  package func statistics(_ request: LabelsRequest) async throws(QueryError) -> LogIndexStatistics {
    preconditionFailure("not built yet")
  }

  /// Bytes of lines by series or by label.
  /// - Returns: a vector without `VolumeRequest.step`, a matrix with it.
  package func volume(_ request: VolumeRequest) async throws(QueryError) -> LogQueryResult {
    preconditionFailure("not built yet")
  }
}
