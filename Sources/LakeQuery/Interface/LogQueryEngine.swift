import LakeLogQL
import LakeModel
package import LakePorts
import LakeSchema
package import LakeWAL

/// Answers LogQL over the table `logs`: the committed snapshot and the WAL's tail beyond it (RDR-1 to RDR-4).
///
/// Every method reads one tenant's rows only. Nothing but footers, metadata and pages is kept between calls.
package struct LogQueryEngine: Sendable {
  let ports: Ports
  package let settings: QuerySettings
  let source: any LogSource
  private let parsed = ParsedQueries()

  /// - Parameter queue: where the lanes lie; the settings of the ingest side.
  package init(ports: Ports, settings: QuerySettings = QuerySettings(), queue: QueueSettings = QueueSettings()) {
    let wal = WALReader(
      ports: ports, settings: queue, table: .logs, topic: .logs,
      cache: WALCache(footersMax: queue.footersCachedMax))
    let table = LogTable(
      ports: ports, settings: settings, cache: QueryCache(bytesMax: settings.cacheBytesMax), wal: wal,
      known: KnownTable())
    self.init(ports: ports, settings: settings, source: table)
  }

  init(ports: Ports, settings: QuerySettings, source: any LogSource) {
    self.ports = ports
    self.settings = settings
    self.source = source
  }

  /// Runs a log or metric query.
  package func query(_ request: LogQueryRequest) async throws(QueryError) -> LogQueryResult {
    let parsed = try parse(request)
    return try await looking { context throws(QueryError) in
      switch parsed {
      case .logs(let expression): try await LogQueryRun(engine: self, request, context).run(expression)
      case .metric(let expression): try await MetricQueryRun(engine: self, request, context).run(expression)
      // Loki knows the words and refuses them unless an instance is told to run them.
      case .variants: throw .invalid("multi variant queries are disabled for this instance")
      }
    }
  }

  // MARK: - Helpers

  /// Loki looks at the kind of query before it builds the stages.
  func parse(_ request: LogQueryRequest) throws(QueryError) -> LogQL.Query {
    try parse(request.query) { query in
      if case .logs = query, case .instant = request.span { LogQueryEngine.logsNeedRange } else { nil }
    }
  }

  static let logsNeedRange = QueryError.invalid(
    "log queries are not supported as an instant query type, please change your query to a range query type")

  /// - Parameter refusal: of a query that has no place here; it comes before what is wrong inside of stages.
  func parse(
    _ text: String, refusal: (LogQL.Query) -> QueryError? = { _ in nil }
  ) throws(QueryError) -> LogQL.Query {
    let kept = parsed.query(text)
    let query: LogQL.Query
    do throws(LogQL.SyntaxError) {
      if let kept { query = kept } else { query = try LogQL.parseUnbuilt(text) }
    } catch { throw .invalid(error.description) }
    if let refusal = refusal(query) { throw refusal }
    guard kept == nil else { return query }
    do throws(LogQL.SyntaxError) { try query.checkStages() } catch { throw .invalid(error.description) }
    parsed.keep(query, text)
    return query
  }

  /// Runs `body`; when an object that its view named is gone, again with a new view (RDR-4).
  func looking<Answer>(
    _ body: (QueryContext) async throws(QueryError) -> Answer
  ) async throws(QueryError) -> Answer {
    var attempt = 1
    while true {
      do throws(QueryError) {
        return try await body(QueryContext(ports, settings))
      } catch {
        guard case .vanished = error, attempt < settings.snapshotAttemptsMax else { throw error }
        attempt += 1
      }
    }
  }
}
