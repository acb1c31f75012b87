import Glibc
import LakeIceberg
import LakeModel
import LakeOTLP
import LakePorts
import LakeSchema

/// `icegate otlp export`: rows of a table as the OTLP requests they came from, in normal form (Sources/LakeOTLP/README.md).
struct OTLPCommand {
  static let usage = """
    usage: icegate otlp export --table logs|spans|metrics [--data DIR] [--tenant ID] [--encoding protobuf|json]

    Writes what the table holds to standard output: protobuf is one ExportLogsServiceRequest (ExportTraceServiceRequest,
    ExportMetricsServiceRequest), JSON one such request a line, a row group of the table each. What the write-ahead log still holds is not
    in the table: POST /flush moves it there.
    """

  private enum Source: String, CaseIterable {
    case logs, spans, metrics

    var table: LakeTable {
      switch self {
      case .logs: .logs
      case .spans: .spans
      case .metrics: .metrics
      }
    }

    func encode(_ batch: ColumnBatch, _ encoding: OTLPEncoding) throws -> Bytes {
      switch self {
      case .logs: try LogsEncoder.encode(batch, encoding: encoding)
      case .spans: try SpansEncoder.encode(batch, encoding: encoding)
      case .metrics: try MetricsEncoder.encode(batch, encoding: encoding)
      }
    }
  }

  private let data: String
  private let source: Source
  private let tenant: TenantID?
  private let encoding: OTLPEncoding

  static func run(_ words: [String]) async throws {
    var arguments = Arguments(words)
    guard arguments.word() == "export" else { throw Arguments.Wrong(description: usage) }
    try await OTLPCommand(&arguments).export()
  }

  private init(_ arguments: inout Arguments) throws(Arguments.Wrong) {
    data = try arguments.option("--data") ?? "icegate-data"
    guard let name = try arguments.option("--table"), let source = Source(rawValue: name) else {
      throw Arguments.Wrong(description: "--table wants logs, spans or metrics")
    }
    self.source = source
    let tenantText = try arguments.option("--tenant")
    tenant = tenantText.flatMap(TenantID.init)
    if let tenantText, tenant == nil { throw Arguments.Wrong(description: "--tenant: `\(tenantText)` is no tenant id") }
    switch try arguments.option("--encoding") ?? "protobuf" {
    case "protobuf": encoding = .protobuf
    case "json": encoding = .json
    case let other:
      throw Arguments.Wrong(description: "--encoding: found `\(other)`, allowed: protobuf, json")
    }
    try arguments.finish()
  }

  private func export() async throws {
    guard access(data + "/catalog.db", R_OK) == 0 else {
      throw Arguments.Wrong(description: "--data \(data): there is no catalog")
    }
    let ports = try DevPorts.open(data: data)
    let table = source.table
    let metadata = try await ports.catalog.loadTable(TableIdentifier(table)).metadata
    var predicate = Predicate()
    if let tenant, let field = table.schema.field(named: "tenant_id") {
      predicate.terms.append(.compare(field.id, .equal, .string(tenant.text)))
    }
    let scan = TableScan(
      store: ports.store, warehouse: ports.warehouse, metadata: metadata, schema: table.schema, predicate: predicate)
    try await scan.forEachBatch { batch in
      let rows = tenant.map { ofTenant($0, batch) } ?? batch
      guard rows.count > 0 else { return }
      // Requests in protobuf may stand behind one another: lists add up.
      try write(try source.encode(rows, encoding))
      if encoding == .json { try write(Bytes("\n")) }
    }
  }

  /// Rows of one tenant: also of files that another engine partitioned in another way.
  private func ofTenant(_ tenant: TenantID, _ batch: ColumnBatch) -> ColumnBatch {
    guard let column = batch.column("tenant_id") else { return batch }
    let mine = (0..<Int32(batch.count)).filter { column.text(at: Int($0)) == tenant.text }
    return mine.count == batch.count ? batch : batch.gather(Buffer(mine))
  }

  private func write(_ bytes: Bytes) throws {
    var done = 0
    while done < bytes.count {
      let written = Glibc.write(1, bytes.unsafeBase + done, bytes.count - done)
      if written < 0 {
        if errno == EINTR { continue }
        throw Arguments.Wrong(description: "standard output: \(String(cString: strerror(errno)))")
      }
      done += written
    }
  }
}

extension Column {
  fileprivate func text(at row: Int) -> String? {
    guard isPresent(row) else { return nil }
    switch values {
    case .bytes(let offsets, let data):
      return String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { data[$0] }, as: UTF8.self)
    case .dictionary(let indices, let dictionary): return dictionary.text(at: Int(indices[row]))
    default: return nil
    }
  }
}
