import LakeModel

/// What rows of one resource and scope have in common: the columns that `resource` and `scope` fill, for all three signals.
struct GroupBuilder: ~Copyable {
  private let limits: DecodeLimits
  private let door: Door
  private var serviceName: TextColumnBuilder
  private var scopeName: TextColumnBuilder
  private var scopeVersion: TextColumnBuilder
  private var resourceSchemaURL: TextColumnBuilder
  private var scopeSchemaURL: TextColumnBuilder
  private var resource: TextColumnBuilder
  private var scope: TextColumnBuilder

  private var serviceNameText = BufferBuilder<UInt8>()
  /// Entries of the current resource: found once, however many scopes it has.
  private var resourceEntry: UInt32?
  private var serviceNameEntry: UInt32?
  private var resourceURLEntry: UInt32?
  /// Likewise of the current scope.
  private var scopeNameEntry: UInt32?
  private var scopeVersionEntry: UInt32?
  private var scopeEntry: UInt32?
  private var scopeURLEntry: UInt32?

  /// Where rows come from: Loki's labels name the service themselves.
  enum Door {
    case otlp, loki

    var serviceNameKey: RawBytes { self == .otlp ? RawBytes("service.name") : RawBytes("service_name") }
  }

  init(limits: DecodeLimits, seed: UInt64, door: Door) {
    self.limits = limits
    self.door = door
    serviceName = TextColumnBuilder(seed: seed)
    scopeName = TextColumnBuilder(seed: seed)
    scopeVersion = TextColumnBuilder(seed: seed)
    resourceSchemaURL = TextColumnBuilder(seed: seed)
    scopeSchemaURL = TextColumnBuilder(seed: seed)
    resource = TextColumnBuilder(seed: seed)
    scope = TextColumnBuilder(seed: seed)
  }

  /// Takes in a Resource message: its attributes go to `attributes`, the whole of it becomes the text of `resource`.
  mutating func beginResource(
    _ message: RawBytes, schemaURL: RawBytes, attributes: inout AttributesBuilder, arena: inout Arena
  ) throws(WireError) {
    attributes.beginResource()
    serviceNameText.count = 0
    if door == .otlp { serviceNameText.append("unknown_service") }
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag == 0x0A else {
        try reader.skip(tag, known: 0b10)
        continue
      }
      let pair = try KeyValueWire.read(try reader.bytes(), arena: &arena)
      try attributes.groupEntry(pair, level: .resource, arena: &arena)
      if pair.key.equals(door.serviceNameKey) { try noteServiceName(pair.value, arena: &arena) }
    }
    attributes.endResource()
    var text = BufferBuilder<UInt8>()
    try writeGroup(.resource, message, schemaURL: schemaURL, to: &text)
    resourceEntry = resource.entryUnlessEmpty(text.written)
    serviceNameEntry = serviceName.entryUnlessEmpty(serviceNameText.written)
    resourceURLEntry = resourceSchemaURL.entryUnlessEmpty(schemaURL)
    guard resource.dataBytes <= limits.columnBytesMax else { throw WireError(.bigColumn, at: message.start) }
  }

  /// The value's text as in `attributes`; an empty one names no service.
  private mutating func noteServiceName(_ value: AnyValueWire, arena: inout Arena) throws(WireError) {
    if value.kind == .none || ((value.kind == .string || value.kind == .bytes) && value.bytes.isEmpty) { return }
    serviceNameText.count = 0
    switch value.kind {
    case .none: break
    case .string: serviceNameText.append(value.bytes)
    case .double: NumberText.append(Double(bitPattern: value.bits), to: &serviceNameText)
    case .bytes: Base64.append(value.bytes, to: &serviceNameText)
    default:
      var json = PlainJSON(valueDepthMax: limits.valueDepthMax)
      try json.append(value, arena: &arena, to: &serviceNameText)
    }
  }

  /// Takes in an InstrumentationScope message. Rows of the scope follow, then `endScope`.
  /// - Parameter rows: rows that will come at most.
  mutating func beginScope(
    _ message: RawBytes, schemaURL: RawBytes, rows: Int, attributes: inout AttributesBuilder, arena: inout Arena
  ) throws(WireError) {
    attributes.beginScope()
    var name = RawBytes.none
    var version = RawBytes.none
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: name = try reader.bytes()
      case 0x12: version = try reader.bytes()
      case 0x1A:
        let pair = try KeyValueWire.read(try reader.bytes(), arena: &arena)
        try attributes.groupEntry(pair, level: .scope, arena: &arena)
      default: try reader.skip(tag, known: 0b1110)
      }
    }
    // Merging takes as long as the resource has attributes: scopes without rows must not ask for it again and again.
    guard rows > 0 else { return }
    attributes.endScope()
    try attributes.reserve(rows: rows)
    var text = BufferBuilder<UInt8>()
    try writeGroup(.scope, message, schemaURL: schemaURL, to: &text)
    scopeEntry = scope.entryUnlessEmpty(text.written)
    guard scope.dataBytes <= limits.columnBytesMax else { throw WireError(.bigColumn, at: message.start) }
    scopeNameEntry = scopeName.entryUnlessEmpty(name)
    scopeVersionEntry = scopeVersion.entryUnlessEmpty(version)
    scopeURLEntry = scopeSchemaURL.entryUnlessEmpty(schemaURL)
  }

  /// Fills the columns of the scope's rows.
  /// - Parameter rows: rows that came, without rejected ones.
  mutating func endScope(rows: Int) {
    serviceName.append(serviceNameEntry, count: rows)
    scopeName.append(scopeNameEntry, count: rows)
    scopeVersion.append(scopeVersionEntry, count: rows)
    resourceSchemaURL.append(resourceURLEntry, count: rows)
    scopeSchemaURL.append(scopeURLEntry, count: rows)
    resource.append(resourceEntry, count: rows)
    scope.append(scopeEntry, count: rows)
  }

  /// The canonical text of a resource, or of what a scope has beyond name and version; nothing when that is empty. Bytes of invalid
  /// UTF-8 are kept beside it: the message under `bytes`, the schema URL under `schemaUrlBytes`.
  private func writeGroup(
    _ kind: WireMessageID, _ message: RawBytes, schemaURL: RawBytes, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    var json = ProtoToJSON(keepsNaN: true, valueDepthMax: limits.valueDepthMax)
    try json.append(kind, message, to: &out)
    if kind == .scope { try dropNameAndVersion(message, text: &out) }
    let isURLValid = schemaURL.isValidUTF8
    if json.isRepaired { member("bytes", message, to: &out) }
    if !isURLValid { member("schemaUrlBytes", schemaURL, to: &out) }
    if out.count == 2 { out.count = 0 }
  }

  /// They have columns of their own: written again without them.
  private func dropNameAndVersion(_ message: RawBytes, text out: inout BufferBuilder<UInt8>) throws(WireError) {
    var rest = BufferBuilder<UInt8>(capacity: message.count)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let start = reader.next
      let tag = try reader.tag()
      try reader.skip(tag, known: 0)
      if tag >> 3 == 3 || tag >> 3 == 4 { rest.append(RawBytes(start, reader.next - start)) }
    }
    out.count = 0
    var json = ProtoToJSON(keepsNaN: true, valueDepthMax: limits.valueDepthMax)
    try json.append(.scope, rest.written, to: &out)
  }

  private func member(_ name: StaticString, _ bytes: RawBytes, to out: inout BufferBuilder<UInt8>) {
    out.count -= 1
    if out.count > 1 { out.append(UInt8(ascii: ",")) }
    out.append(UInt8(ascii: "\""))
    out.append(name)
    out.append("\":")
    out.quotedBase64(bytes)
    out.append(UInt8(ascii: "}"))
  }

  struct Columns {
    let serviceName: Column
    let scopeName: Column
    let scopeVersion: Column
    let resourceSchemaURL: Column
    let scopeSchemaURL: Column
    let resource: Column
    let scope: Column
  }

  consuming func columns() -> Columns {
    Columns(
      serviceName: serviceName.column(), scopeName: scopeName.column(), scopeVersion: scopeVersion.column(),
      resourceSchemaURL: resourceSchemaURL.column(), scopeSchemaURL: scopeSchemaURL.column(),
      resource: resource.column(), scope: scope.column())
  }
}
