package import LakePorts
package import LakeWAL

/// Takes requests in, and acknowledges them once they are durable in the WAL.
package actor Ingestor {
  package init(ports: Ports, settings: QueueSettings = QueueSettings()) {}

  /// Returns when the rows are known to be durable, within `ackDelayMax` of the call (WAL-5).
  package func ingest(_ request: IngestRequest) async throws(IngestError) -> IngestReceipt {
    preconditionFailure("not yet")
  }

  /// Writes what is ingested, until `drain` has finished or the task is cancelled.
  package func run() async { preconditionFailure("not yet") }

  /// Refuses new requests, writes those that wait, ends the lanes; `run` returns then.
  package func drain() async { preconditionFailure("not yet") }
}
