import LakeSchema

/// Bounds of text and bytes, cut to a length without becoming wrong.
enum Bounds {
  /// A prefix is never above the value.
  static func truncatedLower(_ value: [UInt8], type: FieldType, mode: MetricsModes.Mode) -> [UInt8]? {
    if type == .string, String(validating: wholeCharacters(value), as: UTF8.self) == nil { return nil }
    return cut(value, type: type, mode: mode)
  }

  /// A prefix whose last character or byte is raised is above every value that begins with it; nil when none can be.
  static func truncatedUpper(_ value: [UInt8], type: FieldType, mode: MetricsModes.Mode) -> [UInt8]? {
    if type == .string, String(validating: wholeCharacters(value), as: UTF8.self) == nil { return nil }
    let prefix = cut(value, type: type, mode: mode)
    if prefix.count == value.count { return value }
    return type == .string ? raised(text: prefix) : raised(bytes: prefix)
  }

  private static func cut(_ value: [UInt8], type: FieldType, mode: MetricsModes.Mode) -> [UInt8] {
    guard case .truncate(let width) = mode else { return value }
    if case .uuid = type { return value }
    guard type == .string else { return Array(value.prefix(width)) }
    var characters = 0
    for (index, byte) in value.enumerated() where byte & 0xC0 != 0x80 {
      if characters == width { return Array(value.prefix(index)) }
      characters += 1
    }
    return value
  }

  /// Without a last character whose bytes are not all there: values are kept only as far as bounds can show them.
  private static func wholeCharacters(_ value: [UInt8]) -> ArraySlice<UInt8> {
    guard let lead = value.lastIndex(where: { $0 & 0xC0 != 0x80 }), value[lead] >= 0xC0 else { return value[...] }
    let length = value[lead] >= 0xF0 ? 4 : (value[lead] >= 0xE0 ? 3 : 2)
    return value.count - lead < length ? value[..<lead] : value[...]
  }

  private static func raised(text prefix: [UInt8]) -> [UInt8]? {
    guard let text = String(validating: prefix, as: UTF8.self) else { return nil }
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1  // no surrogates
      if let scalar = Unicode.Scalar(next) {
        scalars.append(scalar)
        return Array(String(String.UnicodeScalarView(scalars)).utf8)
      }
    }
    return nil
  }

  private static func raised(bytes prefix: [UInt8]) -> [UInt8]? {
    var bytes = prefix
    while let last = bytes.popLast() {
      if last < 0xFF { return bytes + [last + 1] }
    }
    return nil
  }
}
