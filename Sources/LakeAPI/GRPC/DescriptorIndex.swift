import LakeModel

/// Serialized `FileDescriptorProto`s, found by name and by what they define.
struct DescriptorIndex: Sendable {
  private struct File {
    var bytes: Bytes
    var dependencies: [String]
  }

  private var files: [String: File] = [:]
  /// The file of each message, enum, service and method.
  private var fileOfSymbol: [String: String] = [:]
  private var messages: Set<String> = []

  init(_ descriptors: [Bytes]) throws(ProtoMessage.Malformed) {
    for bytes in descriptors { try add(bytes) }
  }

  /// A file and everything it imports, each once, the file first.
  func files(named name: String) -> [Bytes]? {
    guard files[name] != nil else { return nil }
    var found: [Bytes] = []
    var seen: Set<String> = []
    var pending = [name]
    while let next = pending.popLast() {
      guard seen.insert(next).inserted, let file = files[next] else { continue }
      found.append(file.bytes)
      pending += file.dependencies.reversed()
    }
    return found
  }

  func files(defining symbol: String) -> [Bytes]? { fileOfSymbol[symbol].flatMap { files(named: $0) } }
  func isMessage(_ name: String) -> Bool { messages.contains(name) }

  /// FileDescriptorProto: name 1, package 2, dependency 3, message_type 4, enum_type 5, service 6.
  private mutating func add(_ bytes: Bytes) throws(ProtoMessage.Malformed) {
    let file = try ProtoMessage(bytes)
    guard let name = file.text(1) else { throw ProtoMessage.Malformed() }
    files[name] = File(bytes: bytes, dependencies: file.all(3).map(\.text))
    let scope = file.text(2).map { $0.isEmpty ? "" : $0 + "." } ?? ""
    for message in file.all(4) { try addMessage(message, scope, name, depth: 0) }
    for kind in file.all(5) { fileOfSymbol[scope + (try ProtoMessage(kind).text(1) ?? "")] = name }
    for bytes in file.all(6) {
      let service = try ProtoMessage(bytes)
      let full = scope + (service.text(1) ?? "")
      fileOfSymbol[full] = name
      for method in service.all(2) { fileOfSymbol[full + "." + (try ProtoMessage(method).text(1) ?? "")] = name }
    }
  }

  /// DescriptorProto: name 1, nested_type 3, enum_type 4.
  private mutating func addMessage(_ bytes: Bytes, _ scope: String, _ file: String, depth: Int)
    throws(ProtoMessage.Malformed)
  {
    guard depth < 32 else { throw ProtoMessage.Malformed() }
    let message = try ProtoMessage(bytes)
    let full = scope + (message.text(1) ?? "")
    fileOfSymbol[full] = file
    messages.insert(full)
    for nested in message.all(3) { try addMessage(nested, full + ".", file, depth: depth + 1) }
    for kind in message.all(4) { fileOfSymbol[full + "." + (try ProtoMessage(kind).text(1) ?? "")] = file }
  }
}
