import LakeJSON
import LakeModel

/// The labels that a resource gives its rows, read from the column `resource`: canonical OTLP JSON.
enum ResourceLabels {
  /// Label names and texts, ascending by name, without empty ones; of two attributes with one name the last counts.
  ///
  /// - Returns: nil when a value is neither text, whole number nor bool: then its text is what `attributes` holds.
  static func parse(_ json: Bytes) -> [(name: [UInt8], value: [UInt8])]? {
    guard let root = try? JSONDocument(json).root else { return nil }
    var labels: [[UInt8]: [UInt8]] = [:]
    for attribute in root["attributes"]?.elements.map({ $0 }) ?? [] {
      guard let key = attribute["key"]?.utf8 else { return nil }
      let name = LabelName.normalized(UnsafeRawBufferPointer(key))
      guard let value = text(attribute["value"]) else { return nil }
      if !name.isEmpty { labels[name] = value }
    }
    return labels.filter { !$0.value.isEmpty }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { (name: $0.key, value: $0.value) }
  }

  private static func text(_ value: JSONValue?) -> [UInt8]? {
    guard let value else { return [] }
    for member in value.members {
      switch member.nameText {
      case "stringValue": return member.value.utf8.map { Array($0) }
      case "boolValue": return member.value.bool.map { Array(($0 ? "true" : "false").utf8) }
      case "intValue":
        if let digits = member.value.utf8 { return Array(digits) }
        return member.value.int64.map { Array(String($0).utf8) }
      default: return nil
      }
    }
    return []
  }
}
