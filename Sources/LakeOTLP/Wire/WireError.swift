/// What is wrong with bytes, small enough to be thrown from the hot path; `OTLPError` is made of it at the door.
struct WireError: Error {
  enum What: UInt8 {
    case truncated, longVarint, fieldZero, wrongWireType, straySection, deepGroup
    case deepValue, manyRecords, manyEntries, manyKeys, bigColumn, manyPieces
  }
  let what: What
  /// Address in the request, 0 when it is not about one place.
  let address: UInt
  /// The number of the field concerned, or 0.
  let field: UInt32

  @inline(never)
  init(_ what: What, at: UnsafePointer<UInt8>?, field: UInt32 = 0) {
    self.what = what
    address = UInt(bitPattern: at)
    self.field = field
  }

  /// - Parameter body: the request, so that offsets can be told; nil when it is not what the client sent.
  func described(in body: RawBytes?) -> OTLPError {
    var location = "the request"
    if let body, address >= UInt(bitPattern: body.start), address <= UInt(bitPattern: body.end) {
      location = "byte \(address - UInt(bitPattern: body.start))"
    }
    let subject = field == 0 ? "" : "field \(field): "
    switch what {
    case .truncated: return .malformed(location: location, what: subject + "ends before its value does")
    case .longVarint: return .malformed(location: location, what: subject + "varint longer than its type allows")
    case .fieldZero: return .malformed(location: location, what: "field number 0")
    case .wrongWireType: return .malformed(location: location, what: subject + "wrong wire type")
    case .straySection: return .malformed(location: location, what: subject + "group end without its start")
    case .deepGroup: return .malformed(location: location, what: subject + "groups nested too deeply")
    case .deepValue: return .overLimit(location: location, what: "value nested too deeply")
    case .manyRecords: return .overLimit(location: location, what: "too many records in one request")
    case .manyEntries:
      return .overLimit(location: location, what: "too many attributes, counted once per record, in one request")
    case .manyKeys: return .overLimit(location: location, what: "too many different attribute keys in one request")
    case .manyPieces: return .overLimit(location: location, what: subject + "messages sent in pieces are too large")
    case .bigColumn: return .overLimit(location: location, what: "too many bytes in one column of one request")
    }
  }
}
