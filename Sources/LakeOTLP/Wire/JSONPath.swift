import LakeModel

/// A fault in a JSON value, with the way to it gathered while the error passes outwards.
struct JSONFault: Error {
  /// From the outside in: `.name`, `[3]`.
  var path: [String]
  var what: String
  var isLimit = false

  init(_ what: String) {
    self.what = what
    path = []
  }

  static func tooDeep() -> JSONFault {
    var fault = JSONFault("value nested too deeply")
    fault.isLimit = true
    return fault
  }

  func inside(_ step: String) -> JSONFault {
    var outer = self
    outer.path.insert(step, at: 0)
    return outer
  }

  var error: OTLPError {
    let location = "$" + path.joined()
    return isLimit ? .overLimit(location: location, what: what) : .malformed(location: location, what: what)
  }
}
