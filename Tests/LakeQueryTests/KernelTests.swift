import LakeLogQL
import LakeModel
import LakeRegex
import Testing

@testable import LakeQuery

/// The slow way to look for a byte string.
private func naiveFind(_ needle: [UInt8], in text: [UInt8], from start: Int, to end: Int, isFolded: Bool) -> Int {
  func fold(_ byte: UInt8) -> UInt8 { isFolded && (65...90).contains(byte) ? byte + 32 : byte }
  let needle = needle.map(fold)
  var at = start
  while at + needle.count <= end {
    if (0..<needle.count).allSatisfy({ fold(text[at + $0]) == needle[$0] }) { return at }
    at += 1
  }
  return -1
}

@Suite("Searching bytes")
struct ByteSearchTests {
  @Test("a needle is found where the naive search finds it, at every length, place and end", arguments: [false, true])
  func agreesWithNaive(isFolded: Bool) {
    var random = Seeded(isFolded ? 2 : 1)
    for _ in 0..<4000 {
      let letters: [UInt8] = random.chance(50) ? [97, 98] : [97, 65, 98, 66, 46, 255]
      let text = (0..<random.below(150)).map { _ in random.pick(letters) }
      let needle = (0..<1 + random.below(12)).map { _ in random.pick(letters) }
      let start = random.below(text.count + 1)
      let end = start + random.below(text.count - start + 1)
      let found = text.withUnsafeBytes { bytes in
        bytes.baseAddress.map {
          ByteNeedle(needle, isFolded: isFolded).firstMatch(in: $0, from: start, to: end)
        } ?? -1
      }
      #expect(found == naiveFind(needle, in: text, from: start, to: end, isFolded: isFolded))
    }
  }

  @Test("a needle at every position of a text is found there")
  func everyPosition() {
    for length in [1, 2, 3, 7, 8, 9, 31, 32, 33] {
      let needle = (0..<length).map { UInt8(100 + $0 % 20) }
      for position in 0..<100 {
        var text = [UInt8](repeating: 32, count: 140)
        for (index, byte) in needle.enumerated() { text[position + index] = byte }
        let found = text.withUnsafeBytes {
          ByteNeedle(needle).firstMatch(in: $0.baseAddress!, from: 0, to: $0.count)
        }
        #expect(found == position)
      }
    }
  }

  @Test("rows that hold a needle are those that hold it one by one, hits across row borders left out")
  func rowsAgree() {
    var random = Seeded(3)
    for _ in 0..<300 {
      let rowCount = 1 + random.below(200)
      var builder = BytesColumnBuilder()
      var lines: [[UInt8]] = []
      for _ in 0..<rowCount {
        let line = (0..<random.below(random.chance(20) ? 60 : 6)).map { _ in random.pick([97, 98] as [UInt8]) }
        lines.append(line)
        if line.isEmpty && random.chance(50) {
          builder.appendAbsent()
        } else {
          line.withUnsafeBytes { builder.append($0) }
        }
      }
      let values = BytesView(builder.column())!
      let firstRow = random.below(3) * 1000
      var chosen = SelectionBuilder()
      let percent = random.pick([100, 90, 50, 5])
      for row in 0..<rowCount where random.chance(percent) { chosen.append(row + firstRow) }
      let selection = chosen.finish()
      let needle = (0..<1 + random.below(4)).map { _ in random.pick([97, 98] as [UInt8]) }
      let found = RowSearch.rows(holding: ByteNeedle(needle), in: values, among: selection, firstRow: firstRow)
      let expected = selection.rows.filter {
        let line = lines[$0 - firstRow]
        return naiveFind(needle, in: line, from: 0, to: line.count, isFolded: false) >= 0
      }
      #expect(found.rows == expected)
    }
  }
}

@Suite("Row selections")
struct RowSelectionTests {
  @Test("set operations agree with sets")
  func agreesWithSets() {
    var random = Seeded(4)
    for _ in 0..<500 {
      func make() -> (RowSelection, [Int]) {
        var builder = SelectionBuilder()
        var rows: [Int] = []
        var row = 0
        let gap = random.pick([1, 2, 10])
        while row < 600 {
          if random.chance(20) {
            let end = row + 1 + random.below(30)
            builder.append(row..<end)
            rows += Array(row..<end)
            row = end
          } else {
            builder.append(row)
            rows.append(row)
            row += 1
          }
          row += random.below(gap)
        }
        return (builder.finish(), rows)
      }
      let (a, rowsA) = make()
      let (b, rowsB) = make()
      #expect(a.rows == rowsA)
      #expect(a.count == rowsA.count)
      let setB = Set(rowsB)
      #expect(a.intersection(b).rows == rowsA.filter(setB.contains))
      let rest = a.subtracting(b)
      #expect(rest.rows == rowsA.filter { !setB.contains($0) })
      #expect(rest.union(b).rows == setB.union(rowsA).sorted())
      let low = random.below(600)
      let range = low..<low + random.below(300)
      #expect(a.clamped(to: range).rows == rowsA.filter(range.contains))
    }
  }
}

@Suite("What regular expressions need")
struct RegexShapeTests {
  @Test(
    "literals are read off an expression",
    arguments: [
      ("timeout", ["timeout"], true),
      ("GET|POST", ["GET", "POST"], true),
      ("(a|b)c", ["ac", "bc"], true),
      ("(?i)error", ["error/i"], true),
      ("(?i)connection reset", ["connection re/i"], false),
      (#"upstream=10\.\d+\.7\.\d+:84\d\d attempt=[3-5]/5"#, ["upstream=10."], false),
      ("abc.*de", ["abc"], false),
      ("ab+", ["a"], false),
      ("a{2}bcd", ["bcd"], false),
      ("(?i)error|fail", ["error/i", "fail/i"], true),
      ("^abc$", ["abc"], false),
      (#"HTTP/1.1" 5[0-9]{2}"#, ["HTTP/1"], false),
      (#"\Qa.b\E"#, ["a.b"], true),
      ("(?P<name>xyz)+", ["xyz"], false),
      ("日本", ["日本"], true),
      ("[a]bc", ["abc"], true),
    ])
  func reads(expression: String, literals: [String], isExact: Bool) {
    let shape = RegexShape(expression)
    let found = shape.anyOf?.map { String(decoding: $0.bytes, as: UTF8.self) + ($0.isFolded ? "/i" : "") }
    #expect(found == literals)
    #expect(shape.isExact == isExact)
  }

  @Test(
    "nothing is claimed where nothing is known",
    arguments: [
      "", ".*", "a*", "a?", "[0-9]+", "(abc)?", "abc|.*", #"\d"#, "(?i)k", "(?i)ß", "a|", "[^a]", "(?x)ab", "x{0,3}",
    ])
  func knowsNothing(expression: String) {
    #expect(RegexShape(expression) == .unknown)
  }

  @Test("a text that an expression matches always holds a needed literal")
  func soundness() throws {
    var random = Seeded(5)
    let pieces = [
      "a", "b", "ab", "K", "s", "(a|b)", "(?i)A", "(?i:Ks)", "a+", "b*", "a?", "[ab]", "[b]", ".", "^", "$", "|",
      "(ab|)", "a{2}",
      "b{0}", #"\."#, #"\d"#, "(?:ab)+", "\u{212A}", "ſ",
    ]
    let letters = ["a", "b", "A", "B", "k", "K", "s", "S", "\u{212A}", "ſ", ".", "1"]
    for _ in 0..<3000 {
      let expression = (0..<1 + random.below(6)).map { _ in random.pick(pieces) }.joined()
      guard let compiled = try? RE2Pattern(expression) else { continue }
      let shape = RegexShape(expression)
      guard let literals = shape.anyOf else { continue }
      for _ in 0..<20 {
        let text = (0..<random.below(8)).map { _ in random.pick(letters) }.joined()
        let holds = literals.contains { literal in
          naiveFind(literal.bytes, in: Array(text.utf8), from: 0, to: text.utf8.count, isFolded: literal.isFolded) >= 0
        }
        let matches = compiled.matches(text)
        if matches { #expect(holds, "\(expression) matches \(text)") }
        if shape.isExact { #expect(matches == holds, "\(expression) on \(text)") }
      }
    }
  }
}

@Suite("Line filters")
struct LineMatcherTests {
  @Test(
    "addresses are found in lines",
    arguments: [
      ("10.0.1.0/24", "peer 10.0.1.77 said", true),
      ("10.0.1.0/24", "peer 10.0.2.77 said", false),
      ("10.1.0.0-10.1.40.255", "10.1.16.50 - grace", true),
      ("192.168.0.1", "192.168.0.1", true),
      ("192.168.0.1", "192.168.0.10", false),
      ("192.168.0.1", "a192.168.0.1b", true),
      ("192.168.0.1", "192.168.0.1.", false),
      ("2001:db8::/32", "from 2001:db8::1 to", true),
      ("::1", "on ::1 now", true),
      ("10.0.0.0/8", "010.0.0.1", false),
      ("0.0.0.0/0", "1.2.3.4", true),
    ])
  func addresses(pattern: String, line: String, isFound: Bool) throws {
    let matcher = try LineMatcher(LogQL.LineFilter(.contains, [.ip(pattern)]))
    #expect(Array(line.utf8).withUnsafeBytes { matcher.keeps($0) } == isFound)
  }

  @Test(
    "malformed addresses are refused",
    arguments: ["", "10.0.0", "10.0.0.1/33", "10.0.0.2-10.0.0.1", "1.2.3.4-::1", "x"])
  func badAddresses(pattern: String) {
    #expect(throws: QueryError.self) { try LineMatcher(LogQL.LineFilter(.contains, [.ip(pattern)])) }
  }

  @Test(
    "patterns match as Loki's do",
    arguments: [
      ("<_>level=<_>", "ts=1 level=info", true),
      ("<_>level=<_>", "level=info", false),
      ("foo <_>", "foo bar", true),
      ("<_> bar", "foo bar baz", false),
      ("<_> baz", "foo bar baz", true),
      ("foo", "foo", true),
      ("<_>", "", false),
      ("", "", true),
      ("", "x", false),
    ])
  func patterns(pattern: String, line: String, isMatch: Bool) throws {
    let matcher = try LineMatcher(LogQL.LineFilter(.pattern, [.text(pattern)]))
    #expect(Array(line.utf8).withUnsafeBytes { matcher.keeps($0) } == isMatch)
  }

  @Test("selecting over a column keeps what the filter keeps line by line")
  func selectAgrees() throws {
    var random = Seeded(6)
    let words = ["error", "timeout", "GET", "10.0.1.5", "k", "", "Error", "level=info", " "]
    let filters: [LogQL.LineFilter] = [
      .init(.contains, [.text("error")]), .init(.notContains, [.text("error")]),
      .init(.contains, [.text("error"), .text("GET")]), .init(.notContains, [.text("error"), .text("GET")]),
      .init(.matches, [.text("(?i)error")]), .init(.notMatches, [.text("e.r|time")]), .init(.contains, [.text("")]),
      .init(.notContains, [.text("")]), .init(.matches, [.text("^$")]), .init(.contains, [.ip("10.0.0.0/16")]),
      .init(.notContains, [.ip("10.0.0.0/16")]), .init(.pattern, [.text("<_>error<_>")]),
      .init(.notPattern, [.text("<_>error<_>"), .text("GET<_>")]), .init(.matches, [.text("tim[e]out|G.T")]),
    ]
    for filter in filters {
      let matcher = try LineMatcher(filter)
      for _ in 0..<20 {
        var builder = BytesColumnBuilder()
        for _ in 0..<100 {
          builder.append(
            (0..<random.below(4)).map { _ in random.pick(words) }.joined(separator: random.pick(["", " "])))
        }
        let lines = BytesView(builder.column())!
        var rows = SelectionBuilder()
        for row in 0..<100 where random.chance(70) { rows.append(row + 50) }
        let selection = rows.finish()
        let expected = selection.rows.filter { matcher.keeps(lines[$0 - 50]) }
        #expect(matcher.select(selection, in: lines, firstRow: 50).rows == expected)
      }
    }
  }
}
