import LakeModel
import LakePorts

extension ObjectStoreContract {
  static let reading: [Check] = [
    Check("an object is read back as it was written") { bench in
      let key = bench.key("a/b.bin")
      let tag = try await bench.store.put(key, Bytes("hello"), condition: .none)
      let read = try await bench.store.get(key)
      try expectEqual(read.bytes.text, "hello", "content")
      try expectEqual(read.info.size, 5, "size")
      try expectEqual(read.info.key, key, "key")
      try expectEqual(read.info.tag, tag, "tag of get beside tag of put")
      let head = try await bench.store.head(key)
      try expectEqual(head.tag, tag, "tag of head beside tag of put")
      try expectEqual(head.size, 5, "size of head")
    },
    Check("what is not there is not found") { bench in
      let key = bench.key("absent")
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.get(key) }, .notFound, "get")
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.head(key) }, .notFound, "head")
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.get(key, range: .suffix(1)) },
        .notFound,
        "get of a range")
    },
    Check("a prefix of a key is not an object") { bench in
      _ = try await bench.store.put(bench.key("folder/object"), Bytes("x"), condition: .none)
      let folder = bench.key("folder")
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.get(folder) }, .notFound, "get")
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.head(folder) }, .notFound, "head")
    },
    Check("an empty object is an object") { bench in
      let key = bench.key("empty")
      let tag = try await bench.store.put(key, Bytes(), condition: .ifAbsent)
      let read = try await bench.store.get(key)
      try expectEqual(read.bytes.count, 0, "bytes")
      try expectEqual(read.info.size, 0, "size")
      try expectEqual(read.info.tag, tag, "tag")
      try expectEqual(try await bench.store.listAll(prefix: key.text).map(\.size), [0], "listed sizes")
    },
    Check("a range is cut at the end of the object") { bench in
      let key = bench.key("digits")
      _ = try await bench.store.put(key, Bytes("0123456789"), condition: .none)
      let wanted: [(ByteRange, String)] = [
        (.span(0..<10), "0123456789"), (.span(2..<5), "234"), (.span(9..<10), "9"), (.span(7..<100), "789"),
        (.from(0), "0123456789"), (.from(8), "89"), (.suffix(1), "9"), (.suffix(10), "0123456789"),
        (.suffix(99), "0123456789"),
      ]
      for (range, text) in wanted {
        let read = try await bench.store.get(key, range: range)
        try expectEqual(read.bytes.text, text, "\(range)")
        try expectEqual(read.info.size, 10, "whole size at \(range)")
      }
    },
    Check("a range without a byte is not satisfiable") { bench in
      let key = bench.key("digits")
      _ = try await bench.store.put(key, Bytes("0123456789"), condition: .none)
      let ranges: [ByteRange] = [
        .span(10..<11), .span(500..<600), .span(3..<3), .span(-1..<3), .from(10), .from(11), .from(-1), .suffix(0),
        .suffix(-1),
      ]
      for range in ranges {
        let kind = await ErrorKind.of {
          _ = try await bench.store.get(key, range: range)
        }
        try expectEqual(kind, .rangeNotSatisfiable(size: 10), "\(range)")
      }
    },
    Check("of an empty object only a suffix can be read") { bench in
      let key = bench.key("empty")
      _ = try await bench.store.put(key, Bytes(), condition: .none)
      try expectEqual(try await bench.store.get(key, range: .suffix(8)).bytes.count, 0, "bytes of the suffix")
      for range in [ByteRange.span(0..<1), .from(0), .suffix(0)] {
        let kind = await ErrorKind.of {
          _ = try await bench.store.get(key, range: range)
        }
        try expectEqual(kind, .rangeNotSatisfiable(size: 0), "\(range)")
      }
    },
    Check("every range of a 1 MiB object is exact at its edges") { bench in
      let key = bench.key("large")
      let whole = pattern(count: 1 << 20, salt: 7)
      _ = try await bench.store.put(key, whole, condition: .ifAbsent)
      try expectEqual(try await bench.store.get(key).bytes, whole, "whole object")
      for range in [0..<1, 4095..<4097, 65_535..<131_073, 1_048_575..<1_048_576, 0..<1_048_576] {
        let read = try await bench.store.get(key, range: .span(range))
        try expectEqual(read.bytes, whole[range], "bytes \(range)")
      }
      try expectEqual(
        try await bench.store.get(key, range: .suffix(4097)).bytes, whole[1_044_479..<1_048_576], "suffix")
    },
  ]

  /// Bytes that differ from place to place and from salt to salt.
  static func pattern(count: Int, salt: UInt64) -> Bytes {
    let storage = RawStorage(capacity: count + 8)
    var state = salt &* 0x9E37_79B9_7F4A_7C15 | 1
    for offset in stride(from: 0, to: count, by: 8) {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      storage.base.storeBytes(of: state ^ state >> 32, toByteOffset: offset, as: UInt64.self)
    }
    return Bytes(storage: storage, offset: 0, count: count)
  }
}
