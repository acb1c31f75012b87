import LakeModel
import LakePorts

extension ObjectStoreContract {
  static let uploading: [Check] = [
    Check("an upload appears whole when it is complete, and not before") { bench in
      let key = bench.key("data/file.parquet")
      let first = pattern(count: 5 << 20, salt: 1)
      let second = pattern(count: 12_345, salt: 2)
      let upload = try await bench.store.beginUpload(key)
      try await upload.append(first)
      try await expectAbsent(key, bench)
      try await upload.append(second)
      try await expectAbsent(key, bench)
      let tag = try await upload.complete()
      let read = try await bench.store.get(key)
      try expectEqual(read.info.size, first.count + second.count, "size")
      try expectEqual(read.info.tag, tag, "tag")
      try expectEqual(read.bytes[0..<first.count], first, "first part")
      try expectEqual(read.bytes[first.count..<read.bytes.count], second, "second part")
      try expectEqual(try await bench.store.listAll(prefix: bench.prefix).map(\.key), [key], "keys listed")
    },
    Check("an upload of one small part") { bench in
      let key = bench.key("small")
      let upload = try await bench.store.beginUpload(key)
      try await upload.append(Bytes("small"))
      _ = try await upload.complete()
      try expectEqual(try await bench.store.get(key).bytes.text, "small", "content")
    },
    Check("an upload without parts makes an empty object") { bench in
      let key = bench.key("empty")
      let upload = try await bench.store.beginUpload(key)
      _ = try await upload.complete()
      try expectEqual(try await bench.store.head(key).size, 0, "size")
    },
    Check("an upload that is given up leaves nothing") { bench in
      let key = bench.key("given-up")
      let upload = try await bench.store.beginUpload(key)
      try await upload.append(Bytes("part"))
      await upload.abort()
      try await expectAbsent(key, bench)
      let kind = await ErrorKind.of { _ = try await upload.complete() }
      try expect(kind != .none, "an upload was completed after it was given up")
      try await expectAbsent(key, bench)
    },
    Check("two uploads of one store do not mix") { bench in
      let one = try await bench.store.beginUpload(bench.key("one"))
      let two = try await bench.store.beginUpload(bench.key("two"))
      try await one.append(Bytes("1"))
      try await two.append(Bytes("2"))
      _ = try await two.complete()
      _ = try await one.complete()
      try expectEqual(try await bench.store.get(bench.key("one")).bytes.text, "1", "one")
      try expectEqual(try await bench.store.get(bench.key("two")).bytes.text, "2", "two")
    },
  ]

  private static func expectAbsent(_ key: ObjectKey, _ bench: Bench) async throws {
    let kind = await ErrorKind.of { _ = try await bench.store.head(key) }
    try expectEqual(kind, .notFound, "head of an unfinished upload")
    try expectEqual(try await bench.store.listAll(prefix: key.text).count, 0, "unfinished uploads listed")
  }
}
