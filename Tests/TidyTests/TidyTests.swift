import Foundation
import Testing

/// What breaks layering or replay, checked on the text of the sources.
@Suite struct TidyTests {
  @Test("a module imports only modules of groups above its own")
  func importsPointUpwards() throws {
    for source in try SourceTree.files() {
      guard let group = Layers.group(of: source.module) else { continue }
      for imported in source.imports {
        guard let other = Layers.group(of: imported), imported != source.module else { continue }
        let isAllowed = other < group || (imported == "LakeWAL" && Layers.engines.contains(source.module))
        #expect(isAllowed, "\(source.path) imports \(imported), which is not above \(source.module)")
      }
    }
  }

  @Test("a module imports only what Package.swift declares for it")
  func importsAreDeclared() throws {
    let package = try SourceTree.text("Package.swift")
    for source in try SourceTree.files() where source.module.hasPrefix("Lake") {
      let declaration = try #require(
        package.firstRange(of: "name: \"\(source.module)\"").map { package[$0.upperBound...] },
        "\(source.module) is not in Package.swift")
      let list = declaration.prefix(while: { $0 != "]" })
      for imported in source.imports where imported.hasPrefix("Lake") || Layers.isLibrary(imported) {
        #expect(list.contains("\"\(imported)\""), "\(source.path) imports \(imported) undeclared")
      }
    }
  }

  @Test("a C library is imported by one module only", arguments: Layers.libraries)
  func librariesHaveOneFace(library: String) throws {
    let importers = Set(try SourceTree.files().filter { $0.imports.contains(library) }.map(\.module))
    #expect(importers.count <= 1, "\(library) is imported by \(importers.sorted())")
  }

  @Test("nothing from values to surface reaches for time, chance, threads or files", arguments: Phrase.banned)
  func portsAreNotBypassed(phrase: Phrase) throws {
    for source in try SourceTree.files() where Layers.isCore(source.module) {
      for (number, line) in source.code.enumerated() where phrase.occurs(in: line) {
        Issue.record("\(source.path):\(number + 1) says `\(phrase.text)`: use \(phrase.instead)")
      }
    }
  }

  @Test("nothing imports Foundation outside tests")
  func noFoundation() throws {
    for source in try SourceTree.files() {
      #expect(!source.imports.contains("Foundation"), "\(source.path)")
      #expect(!source.imports.contains("Dispatch"), "\(source.path)")
    }
  }

  @Test("every module has a README that says something")
  func modulesHaveReadmes() throws {
    for module in Layers.all {
      let folder = Layers.folder(of: module)
      let text = try SourceTree.text("\(folder)/README.md")
      #expect(text.count > 200, "\(folder)/README.md has \(text.count) characters")
    }
  }
}

/// A phrase that takes an engine out of the simulator's hands.
struct Phrase: Sendable, CustomTestStringConvertible {
  let text: String
  let instead: String
  var testDescription: String { text }

  static let banned: [Phrase] = [
    Phrase(text: "Date()", instead: "ports.wall.now"),
    Phrase(text: "Task.sleep", instead: "ports.clock.sleep"),
    Phrase(text: "UUID()", instead: "ports.random.uuid()"),
    Phrase(text: "DispatchQueue", instead: "a task group"),
    Phrase(text: "@MainActor", instead: "an actor"),
    Phrase(text: "FileManager", instead: "ports.store"),
    Phrase(text: "Task.detached", instead: "a task group or async let"),
    Phrase(text: "Task {", instead: "a task group or async let"),
    Phrase(text: "ContinuousClock", instead: "ports.clock"),
    Phrase(text: "SuspendingClock", instead: "ports.clock"),
    Phrase(text: "SystemRandomNumberGenerator", instead: "ports.random"),
    Phrase(text: "clock_gettime", instead: "ports.clock"),
    Phrase(text: ".randomElement()", instead: "ports.random.uniform"),
    Phrase(text: ".shuffled()", instead: "ports.random"),
  ]

  /// As a word of its own: `group.addTask {` does not say `Task {`.
  func occurs(in line: String) -> Bool {
    line.ranges(of: text).contains { found in
      found.lowerBound == line.startIndex || !line[line.index(before: found.lowerBound)].isLetter
    }
  }
}

enum Layers {
  /// Lowest first; STYLE: a module imports only from groups above it in this list.
  static let groups: [[String]] = [
    ["LakeModel"],
    ["LakeSchema"],
    ["LakePorts"],
    ["LakeCompression", "LakeJSON", "LakeRegex", "LakeHash"],
    ["LakeParquet", "LakeIceberg", "LakeOTLP", "LakeLogQL"],
    ["LakeWAL", "LakeIngest", "LakeShift", "LakeMaintain", "LakeQuery"],
    ["LakeAPI"],
    ["LakeNet"],
    ["LakeStorage", "LakeCatalogs", "LakeHTTP", "LakeSystem", "LakeClient"],
    ["LakeSimulator"],
  ]
  static let engines: Set<String> = ["LakeIngest", "LakeShift", "LakeMaintain", "LakeQuery"]
  /// One Swift face each. CLinux (system calls) is shared by the edges.
  static let libraries = [
    "CZstd", "CSnappy", "CZlib", "CLz4", "CBrotli", "CCrypto", "CXXHash", "CSqlite", "CCurl", "CNghttp2", "CYaml",
    "CSSL",
    "CRE2", "CSimdjson",
  ]
  static var all: [String] { groups.flatMap { $0 } }

  static func isLibrary(_ name: String) -> Bool { libraries.contains(name) }
  static func group(of module: String) -> Int? { groups.firstIndex { $0.contains(module) } }
  static func folder(of module: String) -> String {
    module == "LakeSimulator" ? "Simulation/\(module)" : "Sources/\(module)"
  }
  /// From values to surface: everything that runs unchanged in the simulator.
  static func isCore(_ module: String) -> Bool { group(of: module).map { $0 <= 6 } ?? false }
}

struct Source {
  let path: String
  let module: String
  let imports: Set<String>
  /// Lines without comments.
  let code: [String]
}

enum SourceTree {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  static func files() throws -> [Source] {
    var found: [Source] = []
    for folder in ["Sources", "Simulation"] {
      let base = root.appendingPathComponent(folder)
      let walker = try #require(FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil))
      for case let file as URL in walker where file.pathExtension == "swift" {
        let relative = String(file.path.dropFirst(root.path.count + 1))
        found.append(try source(relative))
      }
    }
    #expect(found.count > 50)
    return found
  }

  private static func source(_ path: String) throws -> Source {
    let lines = try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    var imports: Set<String> = []
    var code: [String] = []
    for line in lines {
      let bare = line.firstRange(of: "//").map { String(line[..<$0.lowerBound]) } ?? String(line)
      code.append(bare)
      let words = bare.split(separator: " ")
      if let at = words.firstIndex(of: "import"), at <= 2, at + 1 < words.count, words[..<at].allSatisfy(isModifier) {
        imports.insert(String(words[at + 1]))
      }
    }
    let module = String(path.split(separator: "/")[1])
    return Source(path: path, module: module, imports: imports, code: code)
  }

  private static func isModifier(_ word: Substring) -> Bool {
    ["package", "public", "internal", "private", "@_spi(ExperimentalCustomExecutors)", "@preconcurrency"]
      .contains(String(word)) || word.hasPrefix("@")
  }
}
