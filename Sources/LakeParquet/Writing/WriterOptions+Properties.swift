import LakeCompression
package import LakeSchema

extension ParquetWriterOptions {
  /// What a table's `write.parquet.*` properties ask for, in its order. Numbers that make no sense leave the default.
  /// - Throws: `.compression(.unsupported)` for a codec we do not write, with the reason.
  package init(sortOrder: SortOrder, properties: [String: String]) throws(ParquetError) {
    self.init(sortOrder: sortOrder)
    if let name = properties[TableProperties.parquetCompression] {
      do { codec = try CompressionCodec.named(name) } catch { throw .compression(error) }
    }
    level = properties[TableProperties.parquetCompressionLevel].flatMap { Int($0) }.flatMap { Self.level($0, codec) }
    func positive(_ name: String, _ value: inout Int, max: Int) {
      let wanted = properties.number(name, default: value)
      if wanted > 0 { value = Swift.min(wanted, max) }
    }
    positive(TableProperties.parquetPageBytes, &pageBytes, max: 256 << 20)
    positive(TableProperties.parquetPageRows, &pageRows, max: 1 << 24)
    positive(TableProperties.parquetDictionaryBytes, &dictionaryBytesMax, max: 64 << 20)
    positive(TableProperties.parquetBloomBytesMax, &bloomBytesMax, max: 64 << 20)
  }

  /// Nil when the codec has no such level.
  private static func level(_ level: Int, _ codec: CompressionCodec) -> Int? {
    let allowed: ClosedRange<Int>? =
      switch codec {
      case .zstd: 1...22
      case .gzip: 1...9
      case .brotli: 0...11
      case .none, .snappy, .lz4raw: nil
      }
    return allowed?.contains(level) == true ? level : nil
  }
}

extension LakeTable {
  /// The layouts with what the properties `write.parquet.bloom-filter-enabled.column.NAME` say.
  package func layouts(properties: [String: String]) -> [ColumnLayout] {
    var found = layouts
    for (name, value) in properties.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(TableProperties.parquetBloomColumnPrefix) {
      let path = String(name.dropFirst(TableProperties.parquetBloomColumnPrefix.count))
      let isOn = value.lowercased() == "true"
      if let index = found.firstIndex(where: { $0.path == path }) {
        found[index].hasBloomFilter = isOn
      } else if isOn {
        found.append(ColumnLayout(path, .dictionary, bloom: true))
      }
    }
    return found
  }
}
