import Foundation
import Testing

/// The rules of the protocol: LakeWAL's README says where each is kept, and its id stands there.
@Suite struct RuleTests {
  /// Every rule there is.
  static let rules: [String] = [
    ("WAL", 7), ("DUP", 6), ("SHF", 6), ("RDR", 4), ("DEL", 4), ("CMP", 1), ("PRT", 3), ("CLK", 1),
  ].flatMap { prefix, count in (1...count).map { "\(prefix)-\($0)" } }

  @Test("the README of LakeWAL names the place of every rule, and of no other")
  func everyRuleHasPlaces() throws {
    let named = try RuleTable.read().flatMap(\.rules)
    #expect(Set(named) == Set(Self.rules))
    #expect(named.count == Self.rules.count, "a rule has two rows")
  }

  @Test("what the README names is declared, and the rule's id stands in one of those files", arguments: rules)
  func ruleStandsAtItsPlace(rule: String) throws {
    let row = try #require(try RuleTable.read().first { $0.rules.contains(rule) })
    var standsThere = false
    for place in row.places {
      let files = try SourceIndex.all.get().filter { $0.types.contains(place.type) }
      #expect(!files.isEmpty, "\(rule): nothing declares \(place.type)")
      for member in place.members {
        #expect(files.contains { $0.members.contains(member) }, "\(rule): \(place.type) has no \(member)")
      }
      if files.contains(where: { $0.rules.contains(rule) }) { standsThere = true }
    }
    #expect(standsThere, "\(rule) stands in no file of \(row.places.map(\.type))")
  }

  @Test("no source names a rule that does not exist")
  func noUnknownRules() throws {
    for source in try SourceIndex.all.get() {
      let unknown = source.rules.subtracting(Self.rules)
      #expect(unknown.isEmpty, "\(source.path) names \(unknown.sorted())")
    }
  }

  @Test("the queue reads no wall clock (CLK-1)")
  func queueReadsNoWallClock() throws {
    for source in try SourceTree.files() where ["LakeWAL", "LakeIngest"].contains(source.module) {
      #expect(!source.code.contains { $0.contains("ports.wall") }, "\(source.path) reads ports.wall")
    }
  }
}

/// The table "Where each rule is kept" in LakeWAL's README.
struct RuleTable {
  struct Place {
    let type: String
    var members: [String] = []
  }

  struct Row {
    let rules: [String]
    let places: [Place]
  }

  static func read() throws -> [Row] {
    let readme = try SourceTree.text("Sources/LakeWAL/README.md")
    let table = try #require(readme.firstRange(of: "## Where each rule is kept").map { readme[$0.upperBound...] })
    return table.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      return Row(rules: cells[0].components(separatedBy: ", "), places: places(cells[1]))
    }
  }

  /// `Type`, `Type.member`, and `member` of the type named before.
  private static func places(_ cell: String) -> [Place] {
    var places: [Place] = []
    for (index, code) in cell.components(separatedBy: "`").enumerated() where index % 2 == 1 {
      let names = code.components(separatedBy: ".")
      if names[0].first?.isUppercase == true {
        places.append(Place(type: names[0], members: Array(names.dropFirst())))
      } else if names.count == 1, !places.isEmpty {
        places[places.count - 1].members.append(code)
      }
    }
    return places
  }
}

/// What a source declares, and the rules that it names.
struct SourceIndex: Sendable {
  let path: String
  let types: Set<String>
  let members: Set<String>
  /// As they stand there: `SHF-1a` is a side of `SHF-1`.
  let ids: Set<String>

  static let all = Result { try SourceTree.files().map { SourceIndex($0.path, try SourceTree.text($0.path)) } }

  private static let prefixes = Set(RuleTests.rules.map { $0.prefix(4) })

  private init(_ path: String, _ text: String) {
    self.path = path
    var types: Set<String> = []
    var members: Set<String> = []
    var ids: Set<String> = []
    var before: Substring = ""
    for word in text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "-") }) {
      switch before {
      case "struct", "class", "actor", "enum", "protocol", "extension": types.insert(String(word))
      case "func", "var", "let", "case": members.insert(String(word))
      default: break
      }
      if Self.prefixes.contains(word.prefix(4)), word.dropFirst(4).first?.isNumber == true { ids.insert(String(word)) }
      before = word
    }
    (self.types, self.members, self.ids) = (types, members, ids)
  }

  /// The rules whose ids stand here.
  var rules: Set<String> { Set(ids.map { $0.last?.isLetter == true ? String($0.dropLast()) : $0 }) }
}
