/// Where attributes stand in the messages of a request, from the request down: all that the limits of a tenant look at.
struct MessageShape: Sendable {
  /// The field of repeated KeyValues.
  var attributes: UInt32?
  /// The field that counts attributes left out by the sender.
  var dropped: UInt32?
  /// The field of a log record's body.
  var body: UInt32?
  /// Messages below, by field.
  var children: [Child] = []
  /// A log record, span or data point: what is rejected as a whole.
  var isRecord = false
  /// Whether records stand below: then it is a group, whose own part is in the other children.
  var holdsRecords: Bool { children.contains { $0.shape.isRecord || $0.shape.holdsRecords } }

  struct Child: Sendable {
    let field: UInt32
    let shape: MessageShape
    /// The message has one of it. Sent in pieces, they are one message to the decoder, and so to the limits.
    var isSingular = false
  }

  func isSingular(_ field: UInt32) -> Bool {
    field == body || children.contains { $0.field == field && $0.isSingular }
  }

  func child(_ field: UInt32) -> MessageShape? {
    for child in children where child.field == field { return child.shape }
    return nil
  }

  static func of(_ signal: OTLPSignal) -> MessageShape {
    switch signal {
    case .logs: logs
    case .traces: traces
    case .metrics: metrics
    }
  }

  private static let logs = request(MessageShape(attributes: 6, dropped: 7, body: 5, isRecord: true))

  private static let traces = request(
    MessageShape(
      attributes: 9, dropped: 10,
      children: [
        Child(field: 11, shape: MessageShape(attributes: 3, dropped: 4)),
        Child(field: 13, shape: MessageShape(attributes: 4, dropped: 5)),
      ], isRecord: true))

  private static let metrics: MessageShape = {
    let exemplar = MessageShape(attributes: 7)
    func data(_ attributes: UInt32, exemplars: UInt32?) -> MessageShape {
      let point = MessageShape(
        attributes: attributes, children: exemplars.map { [Child(field: $0, shape: exemplar)] } ?? [], isRecord: true)
      return MessageShape(children: [Child(field: 1, shape: point)])
    }
    let number = data(7, exemplars: 5)
    return request(
      MessageShape(
        attributes: 12,
        children: [
          Child(field: MetricType.gauge.rawValue, shape: number), Child(field: MetricType.sum.rawValue, shape: number),
          Child(field: MetricType.histogram.rawValue, shape: data(9, exemplars: 8)),
          Child(field: MetricType.exponentialHistogram.rawValue, shape: data(1, exemplars: 11)),
          Child(field: MetricType.summary.rawValue, shape: data(7, exemplars: nil)),
        ]))
  }()

  /// Resources, scopes and what stands below them are alike in all signals.
  private static func request(_ below: MessageShape) -> MessageShape {
    let scope = MessageShape(children: [
      Child(field: 1, shape: MessageShape(attributes: 3, dropped: 4), isSingular: true), Child(field: 2, shape: below),
    ])
    let resource = MessageShape(children: [
      Child(field: 1, shape: MessageShape(attributes: 1, dropped: 2), isSingular: true), Child(field: 2, shape: scope),
    ])
    return MessageShape(children: [Child(field: 1, shape: resource)])
  }
}
