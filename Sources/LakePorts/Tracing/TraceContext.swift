import LakeModel

/// Which span of which trace something belongs to. Source: W3C Trace Context, level 1.
package struct TraceContext: Hashable, Sendable {
  package let traceHigh: UInt64
  package let traceLow: UInt64
  package let span: UInt64
  package let isSampled: Bool

  package init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.span = span
    self.isSampled = isSampled
  }

  /// `00-<32 hexadecimal digits>-<16>-<2>`, later versions with more behind it; nil for anything else.
  package init?(traceparent text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 55 || (bytes.count > 55 && bytes[55] == 0x2D), bytes[2] == 0x2D, bytes[35] == 0x2D,
      bytes[52] == 0x2D, let version = TraceContext.number(bytes[0..<2]), version != 0xFF,
      version > 0 || bytes.count == 55, let high = TraceContext.number(bytes[3..<19]),
      let low = TraceContext.number(bytes[19..<35]), let span = TraceContext.number(bytes[36..<52]),
      let flags = TraceContext.number(bytes[53..<55]), high | low != 0, span != 0
    else { return nil }
    self.init(traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 == 1)
  }

  package var traceparent: String {
    "00-\(Hex.text(traceHigh))\(Hex.text(traceLow))-\(Hex.text(span))-\(isSampled ? "01" : "00")"
  }

  /// Lower-case digits only, as the source demands.
  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case 0x30...0x39: value = value << 4 | UInt64(digit - 0x30)
      case 0x61...0x66: value = value << 4 | UInt64(digit - 0x57)
      default: return nil
      }
    }
    return value
  }
}
