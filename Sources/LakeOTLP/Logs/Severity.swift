/// The text that stands for a severity number. Source: the manual's table "Severity Levels".
enum Severity {
  /// - Returns: nil for a number outside 1 to 24.
  static func text(of number: Int32) -> StaticString? {
    switch number {
    case 1...4: "TRACE"
    case 5...8: "DEBUG"
    case 9...12: "INFO"
    case 13...16: "WARN"
    case 17...20: "ERROR"
    case 21...24: "FATAL"
    default: nil
    }
  }
}
