/// The entries of a directory as one block of bytes, in the order in which the system told them: `kind name 0`, again and again.
///
/// Equal blocks mean equal entries, so that hundreds of names are known again by one comparison.
package struct DirectoryListing: Equatable, Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package init(_ entries: [FileEntry]) {
    for entry in entries {
      var name = entry.name
      name.withUTF8 { append(UnsafeRawBufferPointer($0), isDirectory: entry.isDirectory) }
    }
  }

  /// - Parameter name: holds no 0.
  package mutating func append(_ name: UnsafeRawBufferPointer, isDirectory: Bool) {
    bytes.append(isDirectory ? DirectoryListing.directory : DirectoryListing.file)
    bytes.append(contentsOf: name)
    bytes.append(0)
  }

  package mutating func reserve(bytes count: Int) { bytes.reserveCapacity(count) }

  package var entries: [FileEntry] {
    bytes.split(separator: 0).map { entry in
      FileEntry(
        name: String(decoding: entry.dropFirst(), as: UTF8.self), isDirectory: entry.first == DirectoryListing.directory
      )
    }
  }

  private static let directory = UInt8(ascii: "d")
  private static let file = UInt8(ascii: "f")
}
