import Foundation
import LakeModel
import LakePorts
import LakeStorage
import PortContracts
import Testing

@Suite("the filesystem object store")
struct FilesystemStoreTests {
  @Test("keeps the contract of object stores", arguments: ObjectStoreContract.checks)
  func contract(check: ObjectStoreContract.Check) async throws {
    try await withStore { store, _ in try await check.run(.init(store: store, prefix: "contract/")) }
  }

  @Test("a store opened anew shows what an earlier one wrote")
  func reopens() async throws {
    try await withStore { store, root in
      let key = ObjectKey(trusted: "wal/logs/0")
      let tag = try await store.put(key, Bytes("rows"), condition: .ifAbsent)
      let again = try open(root)
      let found = try await again.get(key)
      #expect(found.bytes.text == "rows")
      #expect(found.info.tag == tag)
      await #expect(throws: ObjectStoreError.preconditionFailed(key)) {
        _ = try await again.put(key, Bytes("other"), condition: .ifAbsent)
      }
    }
  }

  @Test("nothing but objects is listed, and no temporary file stays behind")
  func leavesNothingBehind() async throws {
    try await withStore { store, root in
      let key = ObjectKey(trusted: "a/b/c")
      _ = try await store.put(key, Bytes("1"), condition: .none)
      _ = try? await store.put(key, Bytes("2"), condition: .ifAbsent)
      #expect(try await store.listAll(prefix: "").map(\.key) == [key])
      let scratch = try FileManager.default.contentsOfDirectory(atPath: "\(root)/.icegate")
      #expect(scratch == ["locks"])
      try await store.delete(key)
      #expect(try FileManager.default.contentsOfDirectory(atPath: root) == [".icegate"])
    }
  }

  @Test("keys below its own folder are refused")
  func guardsItsOwnFolder() async throws {
    try await withStore { store, _ in
      await #expect(throws: ObjectStoreError.self) {
        _ = try await store.put(ObjectKey(trusted: ".icegate/x"), Bytes("1"), condition: .none)
      }
    }
  }

  @Test("a directory that cannot be written is an error that names it")
  func unwritable() throws {
    #expect(throws: FileError.self) {
      _ = try PosixFiles(
        root: "/proc/icegate-store", pool: BlockingPool(threads: 1), random: TestRandomness(), wall: TestWallClock())
    }
  }

  private func open(_ root: String) throws -> FileObjectStore {
    let files = try PosixFiles(
      root: root, pool: BlockingPool(threads: 2), random: TestRandomness(), wall: TestWallClock())
    return FileObjectStore(files: files, random: TestRandomness())
  }

  private func withStore(_ body: (FileObjectStore, String) async throws -> Void) async throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("icegate-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: root) }
    try await body(open(root), root)
  }
}

struct TestRandomness: Randomness {
  func next() -> UInt64 { .random(in: .min ... .max) }
}

/// A wall clock that stands still: tags must differ all the same.
struct TestWallClock: WallClock {
  var now: Timestamp { Timestamp(nanoseconds: 1_793_491_200_000_000_000) }
}
