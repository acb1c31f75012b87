import LakeModel
import LakePorts

extension ObjectStoreContract {
  package static let listing: [Check] = [
    Check("a listing is in the order of UTF-8 bytes") { bench in
      // In the order of bytes: not of languages, not of UTF-16 (U+FF5E sorts before the emoji), nor of path segments.
      let names = ["A", "a!b", "a-", "a.b", "a/b", "a/b.c", "a0", "aa", "b", "é", "～", "🙂"]
      for name in names.reversed() { _ = try await bench.store.put(bench.key(name), Bytes(name), condition: .none) }
      let listed = try await bench.store.listAll(prefix: bench.prefix)
      try expectEqual(listed.map(\.key.text), names.map { bench.prefix + $0 }, "keys")
      try expectEqual(listed.map(\.size), names.map(\.utf8.count), "sizes")
    },
    Check("a listing tells size and tag of what is there now") { bench in
      let key = bench.key("object")
      _ = try await bench.store.put(key, Bytes("first"), condition: .none)
      let tag = try await bench.store.put(key, Bytes("second"), condition: .none)
      let listed = try await bench.store.listAll(prefix: bench.prefix)
      try expectEqual(listed.count, 1, "objects")
      try expectEqual(listed[0].tag, tag, "tag")
      try expectEqual(listed[0].size, 6, "size")
    },
    Check("what was listed before is told again, with what came since and without what went") { bench in
      func put(_ names: [String]) async throws {
        for name in names { _ = try await bench.store.put(bench.key(name), Bytes(name), condition: .ifAbsent) }
      }
      /// What there is now, which must not be what `known` says.
      func changed(since known: KnownObjects?, _ what: String) async throws -> KnownObjects? {
        let found = try await bench.store.relist(prefix: bench.prefix, known: known)
        try expectEqual(found?.objects, try await bench.store.listAll(prefix: bench.prefix), what)
        let again = try await bench.store.relist(prefix: bench.prefix, known: found)
        try expectEqual(again?.objects, nil, "as before: " + what)
        return found
      }
      let nothing = try await changed(since: nil, "nothing")
      try await put(["a/1", "a/2", "a.b", "c/1"])
      let first = try await changed(since: nothing, "all of it new")
      _ = try await changed(since: nil, "all of it, and nothing known")
      try await put(["a/0", "a/15", "b", "d"])
      let second = try await changed(since: first, "some new")
      for name in ["a/0", "a/2", "c/1", "d"] { try await bench.store.delete(bench.key(name)) }
      let third = try await changed(since: second, "some gone")
      try expectEqual(third?.objects.count, 4, "objects left")
      _ = try await changed(since: first, "some gone and some new")
      try await put(["e"])
      try await bench.store.delete(bench.key("b"))
      let fourth = try await changed(since: third, "as many, but others")
      for name in ["a.b", "a/1", "a/15", "e"] { try await bench.store.delete(bench.key(name)) }
      let none = try await changed(since: fourth, "all gone")
      try expectEqual(none?.objects.count, 0, "objects left")
    },
    Check("a prefix need not end at a slash") { bench in
      for name in ["ab/1", "abc", "abd/2", "ac", "b"] {
        _ = try await bench.store.put(bench.key(name), Bytes(), condition: .none)
      }
      try expectEqual(try await bench.names(prefix: "ab"), ["ab/1", "abc", "abd/2"], "below ab")
      try expectEqual(try await bench.names(prefix: "ab/"), ["ab/1"], "below ab/")
      try expectEqual(try await bench.names(prefix: "abc"), ["abc"], "below abc")
      try expectEqual(try await bench.names(prefix: "abcd"), [], "below abcd")
      try expectEqual(try await bench.names(prefix: "abd/2/"), [], "below an object")
    },
    Check("nothing below a prefix that was never used") { bench in
      let page = try await bench.store.list(prefix: bench.prefix + "none/", delimiter: "/", startAfter: nil, limit: 10)
      try expect(page.objects.isEmpty && page.prefixes.isEmpty && page.next == nil, "found \(page)")
    },
    Check("start-after leaves out everything up to and including it") { bench in
      for name in ["a", "b", "b.x", "c/d", "e"] {
        _ = try await bench.store.put(bench.key(name), Bytes(), condition: .none)
      }
      let wanted: [(String, [String])] = [
        ("a", ["b", "b.x", "c/d", "e"]), ("b", ["b.x", "c/d", "e"]), ("b.", ["b.x", "c/d", "e"]), ("c/", ["c/d", "e"]),
        ("c/d", ["e"]), ("e", []), ("zzz", []), ("A", ["a", "b", "b.x", "c/d", "e"]),
      ]
      for (after, names) in wanted {
        let found = try await bench.store.listAll(prefix: bench.prefix, startAfter: bench.prefix + after)
        try expectEqual(found.map(\.key.text), names.map { bench.prefix + $0 }, "after \(after)")
      }
      let before = try await bench.store.listAll(prefix: bench.prefix, startAfter: "!")
      try expectEqual(before.count, 5, "objects after something before the prefix")
      let beyond = try await bench.store.listAll(prefix: bench.prefix + "a", startAfter: bench.prefix + "b")
      try expectEqual(beyond.count, 0, "objects after something beyond the prefix")
    },
    Check("pages of any size add up to the whole") { bench in
      let names = (0..<23).map { "k\($0 / 10)\($0 % 10)" }
      for name in names { _ = try await bench.store.put(bench.key(name), Bytes(name), condition: .none) }
      for limit in [1, 2, 3, 7, 22, 23, 24, 1000] {
        let found = try await bench.entries(prefix: "", delimiter: nil, limit: limit)
        try expectEqual(found, names, "in pages of \(limit)")
      }
    },
    Check("a delimiter rolls up what lies deeper") { bench in
      for name in ["a/1", "a/2", "a/x/3", "b", "c/4", "c.d", "d/e/f"] {
        _ = try await bench.store.put(bench.key(name), Bytes(), condition: .none)
      }
      for limit in [1, 2, 3, 100] {
        try expectEqual(
          try await bench.entries(prefix: "", delimiter: "/", limit: limit), ["a/", "b", "c.d", "c/", "d/"],
          "top, limit \(limit)")
        try expectEqual(
          try await bench.entries(prefix: "a/", delimiter: "/", limit: limit), ["a/1", "a/2", "a/x/"],
          "a/, limit \(limit)")
        try expectEqual(
          try await bench.entries(prefix: "c", delimiter: "/", limit: limit), ["c.d", "c/"], "c, limit \(limit)")
        try expectEqual(
          try await bench.entries(prefix: "d/e/", delimiter: "/", limit: limit), ["d/e/f"], "d/e/, limit \(limit)")
      }
    },
    Check("a page starts after a rolled-up prefix, not inside it") { bench in
      for name in ["a/1", "a/2", "b/1", "c"] {
        _ = try await bench.store.put(bench.key(name), Bytes(), condition: .none)
      }
      for (after, wanted) in [("a/", ["b/", "c"]), ("a/1", ["b/", "c"]), ("a", ["a/", "b/", "c"]), ("b/", ["c"])] {
        let found = try await bench.entries(prefix: "", delimiter: "/", limit: 100, startAfter: bench.prefix + after)
        try expectEqual(found, wanted, "after \(after)")
      }
    },
    Check("a listing begun after an answer sees it") { bench in
      for index in 0..<20 {
        let key = bench.key("n\(index % 5)")
        if index / 5 % 2 == 0 {
          _ = try await bench.store.put(key, Bytes("x"), condition: .ifAbsent)
        } else {
          try await bench.store.delete(key)
        }
        let present = try await bench.store.listAll(prefix: bench.prefix).contains { $0.key == key }
        try expectEqual(present, index / 5 % 2 == 0, "presence of \(key) after step \(index)")
      }
    },
    Check("pages go on while objects come and go") { bench in
      for index in 10..<30 { _ = try await bench.store.put(bench.key("k\(index)"), Bytes(), condition: .none) }
      var seen: [String] = []
      var after: String?
      repeat {
        let page = try await bench.store.list(prefix: bench.prefix, delimiter: nil, startAfter: after, limit: 4)
        seen += page.objects.map { bench.relative($0.key.text) }
        after = page.next
        // Takes away the very key the next page starts after, and adds one behind it.
        if let next = after.flatMap({ ObjectKey($0) }) {
          try await bench.store.delete(next)
          _ = try await bench.store.put(bench.key("k0\(seen.count)"), Bytes(), condition: .none)
        }
      } while after != nil
      try expectEqual(seen, (10..<30).map { "k\($0)" }, "keys that were there all the time or until they were seen")
    },
  ]
}

extension ObjectStoreContract.Bench {
  func relative(_ text: String) -> String { String(text.dropFirst(prefix.count)) }

  func names(prefix below: String) async throws -> [String] {
    try await store.listAll(prefix: prefix + below).map { relative($0.key.text) }
  }

  /// Objects and prefixes of a page in one order.
  func inOrder(_ page: ObjectPage) -> [String] {
    (page.objects.map(\.key.text) + page.prefixes).sorted { $0.utf8.precedes($1.utf8) }.map { relative($0) }
  }

  /// Every entry, page after page; each page is in order, within its limit, and goes on from the one before.
  func entries(prefix below: String, delimiter: String?, limit: Int, startAfter: String? = nil) async throws
    -> [String]
  {
    var found: [String] = []
    var after = startAfter
    repeat {
      let page = try await store.list(prefix: prefix + below, delimiter: delimiter, startAfter: after, limit: limit)
      try expect(
        page.objects.count + page.prefixes.count <= limit, "\(page.objects.count) objects on a page of \(limit)")
      try expectEqual(page.objects.map(\.key), page.objects.map(\.key).sorted(), "objects of a page")
      let entries = inOrder(page)
      if let last = found.last, let first = entries.first {
        try expect(last.utf8.precedes(first.utf8), "\(first) on the page after \(last)")
      }
      if let next = page.next {
        try expect(after == nil || after!.utf8.precedes(next.utf8), "next \(next) does not move on from \(after!)")
      }
      found += entries
      after = page.next
    } while after != nil
    return found
  }
}
