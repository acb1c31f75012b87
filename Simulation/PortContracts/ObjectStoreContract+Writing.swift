import LakeModel
import LakePorts

extension ObjectStoreContract {
  static let writing: [Check] = [
    Check("a put without a condition replaces") { bench in
      let key = bench.key("object")
      let first = try await bench.store.put(key, Bytes("first, longer"), condition: .none)
      let second = try await bench.store.put(key, Bytes("second"), condition: .none)
      try expect(first != second, "two contents have the tag \(first.text)")
      let read = try await bench.store.get(key)
      try expectEqual(read.bytes.text, "second", "content")
      try expectEqual(read.info.tag, second, "tag")
    },
    Check("if-absent creates once and never replaces") { bench in
      let key = bench.key("object")
      let tag = try await bench.store.put(key, Bytes("first"), condition: .ifAbsent)
      for text in ["first", "second", ""] {
        let kind = await ErrorKind.of {
          _ = try await bench.store.put(key, Bytes(text), condition: .ifAbsent)
        }
        try expectEqual(kind, .preconditionFailed, "second create with \"\(text)\"")
      }
      let read = try await bench.store.get(key)
      try expectEqual(read.bytes.text, "first", "content")
      try expectEqual(read.info.tag, tag, "tag")
    },
    Check("if-absent refuses to replace an empty object") { bench in
      let key = bench.key("opening")
      _ = try await bench.store.put(key, Bytes(), condition: .ifAbsent)
      let kind = await ErrorKind.of {
        _ = try await bench.store.put(key, Bytes("x"), condition: .ifAbsent)
      }
      try expectEqual(kind, .preconditionFailed, "second create")
      try expectEqual(try await bench.store.get(key).bytes.count, 0, "bytes")
    },
    Check("if-match replaces exactly the content it names") { bench in
      let key = bench.key("pointer")
      let first = try await bench.store.put(key, Bytes("1"), condition: .ifAbsent)
      let second = try await bench.store.put(key, Bytes("2"), condition: .ifMatch(first))
      try expect(first != second, "two contents have the tag \(first.text)")
      let stale = await ErrorKind.of {
        _ = try await bench.store.put(key, Bytes("3"), condition: .ifMatch(first))
      }
      try expectEqual(stale, .preconditionFailed, "put on a stale tag")
      try expectEqual(try await bench.store.get(key).bytes.text, "2", "content")
      _ = try await bench.store.put(key, Bytes("4"), condition: .ifMatch(second))
      try expectEqual(try await bench.store.get(key).bytes.text, "4", "content")
    },
    Check("if-match of what is not there fails and creates nothing") { bench in
      let key = bench.key("pointer")
      let tag = try await bench.store.put(bench.key("other"), Bytes("x"), condition: .none)
      let kind = await ErrorKind.of {
        _ = try await bench.store.put(key, Bytes("1"), condition: .ifMatch(tag))
      }
      try expectEqual(kind, .preconditionFailed, "put")
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.head(key) }, .notFound, "head")
    },
    Check("a condition that names a tag no content ever had fails") { bench in
      let key = bench.key("pointer")
      _ = try await bench.store.put(key, Bytes("1"), condition: .none)
      let kind = await ErrorKind.of {
        _ = try await bench.store.put(
          key, Bytes("2"), condition: .ifMatch(ContentTag("\"00000000000000000000000000000000\"")))
      }
      try expectEqual(kind, .preconditionFailed, "put")
      try expectEqual(try await bench.store.get(key).bytes.text, "1", "content")
    },
    Check("a delete is seen at once and may be repeated") { bench in
      let key = bench.key("folder/object")
      try await bench.store.delete(key)
      _ = try await bench.store.put(key, Bytes("x"), condition: .ifAbsent)
      try await bench.store.delete(key)
      try expectEqual(
        await ErrorKind.of { _ = try await bench.store.get(key) }, .notFound, "get")
      try expectEqual(try await bench.store.listAll(prefix: bench.prefix).count, 0, "objects listed")
      try await bench.store.delete(key)
      _ = try await bench.store.put(key, Bytes("y"), condition: .ifAbsent)
      try expectEqual(try await bench.store.get(key).bytes.text, "y", "content after creating again")
    },
    Check("a delete takes one object and leaves its neighbours") { bench in
      for name in ["a", "a.b", "ab/c", "ab/d"] {
        _ = try await bench.store.put(bench.key(name), Bytes(name), condition: .none)
      }
      try await bench.store.delete(bench.key("ab/c"))
      try await bench.store.delete(bench.key("a"))
      let left = try await bench.store.listAll(prefix: bench.prefix).map(\.key)
      try expectEqual(left, [bench.key("a.b"), bench.key("ab/d")], "what is left")
    },
    Check("many are deleted at once, those that are not there among them") { bench in
      let names = (0..<12).map { "many/\($0)" } + ["many/<&>\"' +%", "many/日本 🙂"]
      for name in names { _ = try await bench.store.put(bench.key(name), Bytes(name), condition: .none) }
      _ = try await bench.store.put(bench.key("many0"), Bytes("stays"), condition: .none)
      let failures = await bench.store.deleteAll(names.map { bench.key($0) } + [bench.key("never/there")])
      try expectEqual(failures, [], "failures")
      let left = try await bench.store.listAll(prefix: bench.prefix).map(\.key)
      try expectEqual(left, [bench.key("many0")], "what is left")
      try expectEqual(await bench.store.deleteAll([]), [], "failures of nothing")
    },
    Check("a key may have 1024 bytes and any character") { bench in
      let names = [
        "spaces and +plus%20percent", "ünïcödé-✓-日本語-🙂", "quote'\"<&>;|*?`$~^{}[]()#@!,", "a\u{0301}", "\u{00E1}",
        "back\\slash", "tenant_id=a:b/timestamp_day=2026-11-21/part=1", "...", "..x", "-", "UPPER", "upper",
        longKey(bytes: 1024 - bench.prefix.utf8.count),
      ]
      for name in names { _ = try await bench.store.put(bench.key(name), Bytes("at " + name), condition: .ifAbsent) }
      for name in names {
        try expectEqual(try await bench.store.get(bench.key(name)).bytes.text, "at " + name, "content of \(name)")
      }
      let listed = try await bench.store.listAll(prefix: bench.prefix).map(\.key)
      try expectEqual(listed, names.map { bench.key($0) }.sorted(), "keys listed")
      for name in names { try await bench.store.delete(bench.key(name)) }
      try expectEqual(try await bench.store.listAll(prefix: bench.prefix).count, 0, "objects left")
    },
    Check("what a filesystem cannot hold is held whole or denied") { bench in
      let long = bench.key(String(repeating: "n", count: 256))
      try await holdOrDeny(long, on: bench)
      let object = bench.key("node")
      _ = try await bench.store.put(object, Bytes("object"), condition: .none)
      try await holdOrDeny(bench.key("node/below"), on: bench)
      try expectEqual(try await bench.store.get(object).bytes.text, "object", "object above another")
      _ = try await bench.store.put(bench.key("tree/leaf"), Bytes("leaf"), condition: .none)
      try await holdOrDeny(bench.key("tree"), on: bench)
      try expectEqual(try await bench.store.get(bench.key("tree/leaf")).bytes.text, "leaf", "object below another")
    },
    Check("a key may become a prefix once its object is gone, and the other way round") { bench in
      _ = try await bench.store.put(bench.key("x"), Bytes("1"), condition: .ifAbsent)
      try await bench.store.delete(bench.key("x"))
      _ = try await bench.store.put(bench.key("x/y"), Bytes("2"), condition: .ifAbsent)
      try await bench.store.delete(bench.key("x/y"))
      _ = try await bench.store.put(bench.key("x"), Bytes("3"), condition: .ifAbsent)
      try expectEqual(try await bench.store.get(bench.key("x")).bytes.text, "3", "content")
    },
  ]

  /// A key of exactly so many bytes in segments that every store takes.
  private static func longKey(bytes: Int) -> String {
    var key = ""
    while key.utf8.count < bytes { key += key.utf8.count % 200 == 199 && bytes - key.utf8.count > 1 ? "/" : "k" }
    return key
  }

  private static func holdOrDeny(_ key: ObjectKey, on bench: Bench) async throws {
    let kind = await ErrorKind.of {
      _ = try await bench.store.put(key, Bytes("held"), condition: .ifAbsent)
    }
    switch kind {
    case .none: try expectEqual(try await bench.store.get(key).bytes.text, "held", "content of \(key)")
    case .denied:
      let listed = try await bench.store.listAll(prefix: key.text).contains { $0.key == key }
      try expect(!listed, "\(key) was denied and is listed")
    default: throw ContractFailure("put of \(key): \(kind) instead of success or denied")
    }
  }
}
