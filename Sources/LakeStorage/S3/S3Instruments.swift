import LakeModel
import LakeNet
package import LakePorts

/// What the S3 client tells the metrics port, by operation: these requests are what the store is paid for.
package struct S3Instruments: Sendable {
  enum Operation: String, CaseIterable {
    case get, head, put, delete, deleteMany = "delete_many", list, upload
  }

  private struct OfOperation: Sendable {
    let answered: Counter
    let refused: Counter
    let failed: Counter
    let sent: Counter
    let received: Counter
    let seconds: Histogram
  }

  private let operations: [Operation: OfOperation]

  package init(_ registry: MetricsRegistry) {
    var operations: [Operation: OfOperation] = [:]
    for operation in Operation.allCases {
      let label = [("operation", operation.rawValue)]
      func requests(_ outcome: String) -> Counter {
        registry.counter(
          "icegate_s3_requests_total", help: "Requests to the object store, repeats included, by what became of them.",
          labels: label + [("outcome", outcome)])
      }
      operations[operation] = OfOperation(
        answered: requests("answered"), refused: requests("refused"), failed: requests("failed"),
        sent: registry.counter(
          "icegate_s3_sent_bytes_total", help: "Bytes of request bodies to the object store.", labels: label),
        received: registry.counter(
          "icegate_s3_received_bytes_total", help: "Bytes of answers from the object store.", labels: label),
        seconds: registry.histogram(
          "icegate_s3_request_seconds", help: "Time of one request to the object store.",
          bounds: Histogram.latencyBounds, labels: label))
    }
    self.operations = operations
  }

  /// - Parameter answer: nil when none came.
  func note(_ call: S3Client.Call, _ answer: HTTPAnswer?, _ took: Duration) {
    let operation: Operation
    switch call.method {
    case "HEAD": operation = .head
    case "DELETE": operation = .delete
    case "PUT": operation = call.query.isEmpty ? .put : .upload
    case "POST": operation = call.key == nil ? .deleteMany : .upload
    default: operation = call.key == nil ? .list : .get
    }
    guard let instruments = operations[operation] else { return }
    instruments.sent.add(call.body?.count ?? 0)
    instruments.seconds.observe(Double(took.nanoseconds) / 1e9)
    guard let answer else { return instruments.failed.add() }
    instruments.received.add(answer.body.count)
    if answer.status < 300 {
      instruments.answered.add()
    } else if answer.status < 500 {
      instruments.refused.add()
    } else {
      instruments.failed.add()
    }
  }
}
