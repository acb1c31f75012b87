import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema

/// A data file that may hold a tenant's rows, with what every query asks of its manifest's entry read once.
struct PlannedFile: Sendable {
  /// Its residual is of the tenant alone; times are decided here and by the footer.
  let scanned: ScanFile
  let key: ObjectKey
  let name: QueryCache.Name
  /// Microseconds between which all its times lie.
  let times: ClosedRange<Int64>

  /// - Returns: nil when the manifest does not tell between which times the file's rows lie.
  init?(_ scanned: ScanFile, _ reader: ObjectReader) throws(QueryError) {
    guard let times = PlannedFile.times(scanned.file.metrics) else { return nil }
    self.scanned = scanned
    self.times = times
    key = try reader.key(of: scanned.file.path)
    name = QueryCache.Name(key.text)
  }

  /// A file of which the times are not known.
  init(whenever scanned: ScanFile, _ reader: ObjectReader) throws(QueryError) {
    self.scanned = scanned
    times = .min ... .max
    key = try reader.key(of: scanned.file.path)
    name = QueryCache.Name(key.text)
  }

  private static func times(_ metrics: FileMetrics) -> ClosedRange<Int64>? {
    let field = LogField.timestamp.schemaField
    func bound(_ bounds: [Int: [UInt8]]) -> Int64? {
      guard let bytes = bounds[field.id], case .long(let time)? = Datum(singleValue: bytes, type: .long) else {
        return nil
      }
      return time
    }
    guard let low = bound(metrics.lowerBounds), let high = bound(metrics.upperBounds), low <= high else { return nil }
    return low...high
  }

  /// About what it takes in memory.
  static let bytes = 1600
}
