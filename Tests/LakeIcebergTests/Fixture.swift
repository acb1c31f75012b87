import Foundation
import LakeJSON
import LakeModel

/// A folder of Fixtures/iceberg.
struct Fixture {
  let folder: URL

  init(_ name: String) {
    folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/iceberg").appendingPathComponent(name)
  }

  /// The file with the same last part as a location.
  func bytes(_ location: String) throws -> Bytes {
    Bytes([UInt8](try Data(contentsOf: folder.appendingPathComponent(String(location.split(separator: "/").last!)))))
  }

  func json(_ name: String) throws -> JSONValue { try JSONDocument(try bytes(name)).root }

  func names(suffix: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(suffix) }.sorted()
  }
}

extension JSONValue {
  subscript(_ index: Int) -> JSONValue { Array(elements)[index] }
}
