// swift-tools-version: 6.2
import PackageDescription

// The modules, lowest group first. A module imports only from groups above its own; TidyTests checks it.
// Each Swift module has its tests in Tests/<Module>Tests.
struct Module {
  var name: String
  var imports: [String]
  var path: String? = nil
  var tested = true
}

let cLibraries: [(name: String, pkgConfig: String, apt: String)] = [
  ("CZstd", "libzstd", "libzstd-dev"),
  ("CSnappy", "snappy", "libsnappy-dev"),
  ("CZlib", "zlib", "zlib1g-dev"),
  ("CLz4", "liblz4", "liblz4-dev"),
  ("CBrotli", "libbrotlienc", "libbrotli-dev"),
  ("CCrypto", "libcrypto", "libssl-dev"),
  ("CSSL", "libssl", "libssl-dev"),
  ("CXXHash", "libxxhash", "libxxhash-dev"),
  ("CSqlite", "sqlite3", "libsqlite3-dev"),
  ("CCurl", "libcurl", "libcurl4-openssl-dev"),
  ("CNghttp2", "libnghttp2", "libnghttp2-dev"),
  ("CYaml", "yaml-0.1", "libyaml-dev"),
]

let modules: [Module] = [
  // values
  Module(name: "LakeModel", imports: []),
  Module(name: "LakeSchema", imports: ["LakeModel"]),
  // ports
  Module(name: "LakePorts", imports: ["LakeModel", "LakeSchema"]),
  // libraries: one Swift face for each C or C++ library that codecs and engines need
  Module(name: "LakeCompression", imports: ["LakeModel", "CZstd", "CSnappy", "CZlib", "CLz4", "CBrotli"]),
  Module(name: "LakeJSON", imports: ["LakeModel", "CSimdjson"]),
  Module(name: "LakeRegex", imports: ["LakeModel", "CRE2"]),
  Module(name: "LakeHash", imports: ["LakeModel", "CCrypto", "CXXHash"]),
  // codecs
  Module(name: "LakeParquet", imports: ["LakeModel", "LakeSchema", "LakeCompression", "LakeHash"]),
  Module(name: "LakeIceberg", imports: ["LakeModel", "LakeSchema", "LakeCompression", "LakeJSON", "LakeHash"]),
  Module(name: "LakeOTLP", imports: ["LakeModel", "LakeSchema", "LakePorts", "LakeJSON", "LakeHash"]),
  Module(name: "LakeLogQL", imports: ["LakeModel", "LakeRegex"]),
  // engines
  Module(
    name: "LakeWAL",
    imports: ["LakeModel", "LakeSchema", "LakePorts", "LakeCompression", "LakeParquet", "LakeHash", "LakeJSON"]),
  Module(
    name: "LakeIngest",
    imports: ["LakeModel", "LakeSchema", "LakePorts", "LakeOTLP", "LakeWAL", "LakeHash", "LakeJSON"]),
  Module(
    name: "LakeShift",
    imports: [
      "LakeModel", "LakeSchema", "LakePorts", "LakeCompression", "LakeParquet", "LakeIceberg", "LakeOTLP", "LakeWAL",
      "LakeHash", "LakeJSON",
    ]),
  Module(
    name: "LakeMaintain",
    imports: ["LakeModel", "LakeSchema", "LakePorts", "LakeParquet", "LakeIceberg", "LakeWAL"]),
  Module(
    name: "LakeQuery",
    imports: [
      "LakeModel", "LakeSchema", "LakePorts", "LakeParquet", "LakeIceberg", "LakeLogQL", "LakeWAL", "LakeRegex",
      "LakeHash", "LakeJSON",
    ]),
  // surface
  Module(
    name: "LakeAPI",
    imports: [
      "LakeModel", "LakeSchema", "LakePorts", "LakeCompression", "LakeJSON", "LakeHash", "LakeOTLP", "LakeLogQL",
      "LakeIceberg", "LakeWAL", "LakeIngest", "LakeShift", "LakeMaintain", "LakeQuery",
    ]),
  // clients of other people's servers, for the edges
  Module(name: "LakeNet", imports: ["LakeModel", "LakePorts", "LakeHash", "LakeJSON", "CCurl"]),
  // edges
  Module(name: "LakeStorage", imports: ["LakeModel", "LakePorts", "LakeHash", "LakeNet", "CLinux"]),
  Module(
    name: "LakeCatalogs",
    imports: ["LakeModel", "LakeSchema", "LakePorts", "LakeIceberg", "LakeJSON", "LakeHash", "LakeNet", "CSqlite"]),
  Module(
    name: "LakeHTTP", imports: ["LakeModel", "LakePorts", "LakeCompression", "LakeAPI", "CLinux", "CNghttp2", "CSSL"]),
  Module(
    name: "LakeClient",
    imports: ["LakeModel", "LakePorts", "LakeJSON", "LakeLogQL", "LakeNet", "LakeAPI"]),
  Module(name: "LakeSystem", imports: ["LakeModel", "LakePorts", "CLinux", "CYaml"]),
  // proof
  Module(
    name: "PortContracts", imports: ["LakeModel", "LakeSchema", "LakePorts"], path: "Simulation/PortContracts",
    tested: false),
  Module(
    name: "LakeSimulator",
    imports: [
      "LakeModel", "LakeSchema", "LakePorts", "LakeParquet", "LakeIceberg", "LakeOTLP", "LakeLogQL", "LakeWAL",
      "LakeIngest", "LakeShift", "LakeMaintain", "LakeQuery", "LakeAPI", "LakeHash", "LakeJSON",
    ], path: "Simulation/LakeSimulator"),
]

let executables: [Module] = [
  Module(
    name: "icegate",
    imports: [
      "LakeModel", "LakeSchema", "LakePorts", "LakeParquet", "LakeIceberg", "LakeJSON", "LakeOTLP", "LakeWAL",
      "LakeIngest", "LakeShift", "LakeMaintain", "LakeQuery", "LakeAPI", "LakeStorage", "LakeCatalogs", "LakeHTTP",
      "LakeSystem", "LakeNet", "LakeClient", "LakeLogQL", "LakeHash", "LakeCompression",
    ], tested: false),
  Module(
    name: "simulate", imports: ["LakeModel", "LakePorts", "LakeSimulator"], path: "Simulation/simulate", tested: false),
  Module(
    name: "parquet-bench", imports: ["LakeModel", "LakeSchema", "LakeParquet", "LakeQuery"],
    path: "Benchmarks/parquet-bench", tested: false),
]

/// What the tests of a module need beyond what the module itself imports.
let extraTestImports: [String: [String]] = [
  "LakeOTLP": ["LakeParquet", "LakeCompression"],
  "LakeHTTP": ["CNghttp2", "CSSL"],
  "LakeStorage": ["PortContracts"],
  "LakeCatalogs": ["PortContracts", "CSqlite", "LakeAPI", "LakeStorage"],
  "LakePorts": ["PortContracts"],
  "LakeSimulator": ["PortContracts"],
  "LakeWAL": ["PortContracts"],
  "LakeIngest": ["PortContracts"],
  "LakeShift": ["PortContracts", "LakeIngest"],
]

let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

func dependencies(_ names: [String]) -> [Target.Dependency] { names.map { .byName(name: $0) } }

var targets: [Target] = cLibraries.map { library in
  .systemLibrary(
    name: library.name, path: "Sources/\(library.name)", pkgConfig: library.pkgConfig, providers: [.apt([library.apt])])
}
targets += [
  .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
  .target(
    name: "CRE2", path: "Sources/CRE2", cxxSettings: [.unsafeFlags(["-std=c++17", "-O2"])],
    linkerSettings: [.linkedLibrary("re2"), .linkedLibrary("stdc++")]),
  .target(
    name: "CSimdjson", path: "Sources/CSimdjson", cxxSettings: [.unsafeFlags(["-std=c++17", "-O2"])],
    linkerSettings: [.linkedLibrary("simdjson"), .linkedLibrary("stdc++")]),
]
targets += modules.map { module in
  .target(
    name: module.name, dependencies: dependencies(module.imports), path: module.path ?? "Sources/\(module.name)",
    exclude: ["README.md"], swiftSettings: swiftSettings, linkerSettings: [.linkedLibrary("m")])
}
targets += executables.map { module in
  .executableTarget(
    name: module.name, dependencies: dependencies(module.imports), path: module.path ?? "Sources/\(module.name)",
    swiftSettings: swiftSettings)
}
targets += modules.filter(\.tested).map { module in
  .testTarget(
    name: "\(module.name)Tests", dependencies: dependencies(module.testImports),
    path: "Tests/\(module.name)Tests", swiftSettings: swiftSettings)
}
targets.append(.testTarget(name: "TidyTests", path: "Tests/TidyTests", swiftSettings: swiftSettings))

extension Module {
  /// Tests see what the module sees, the module itself, and the port contracts and in-memory ports.
  var testImports: [String] {
    var names = imports.filter { $0.hasPrefix("Lake") } + [name]
    for extra in extraTestImports[name] ?? [] where !names.contains(extra) { names.append(extra) }
    return names
  }
}

/// `ICEGATE_ONLY=LakeParquet swift test` builds one module, what it needs, and its tests.
if let only = Context.environment["ICEGATE_ONLY"] {
  let wanted = only.split(separator: ",").map(String.init)
  var keep = Set<String>()
  func visit(_ name: String) {
    guard keep.insert(name).inserted, let target = targets.first(where: { $0.name == name }) else { return }
    for dependency in target.dependencies {
      if case .byNameItem(let name, _) = dependency { visit(name) }
    }
  }
  for name in wanted {
    visit(name)
    visit("\(name)Tests")
  }
  targets = targets.filter { keep.contains($0.name) }
}

let package = Package(name: "icegate", targets: targets, swiftLanguageModes: [.v6], cxxLanguageStandard: .cxx17)
