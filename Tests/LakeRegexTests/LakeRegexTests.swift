import LakeRegex
import Testing

@Suite("Regular expressions are RE2's")
struct LakeRegexTests {
  private static func groups(_ pattern: RE2Pattern, _ text: String, from start: Int = 0) -> [Range<Int>?]? {
    var text = text
    return text.withUTF8 { pattern.groups(in: UnsafeRawBufferPointer($0), from: start) }
  }

  /// RE2's message; nil where the expression is taken.
  private static func refusal(_ expression: String, memoryMax: Int = 8 << 20) -> String? {
    do {
      _ = try RE2Pattern(expression, memoryMax: memoryMax)
      return nil
    } catch { return error.message }
  }

  @Test(
    "an expression matches anywhere, or the whole text, line feeds and all",
    arguments: [
      ("b", "abc", true, false), ("abc", "abc", true, true), ("a|abc", "abc", true, true), ("^b", "abc", false, false),
      ("c$", "abc", true, false), ("c$", "abc\n", false, false), ("(?m)c$", "abc\nd", true, false),
      ("a.b", "a\nb", false, false), ("(?s:a.b)", "a\nb", true, true), ("a", "a\n", true, false),
      ("", "", true, true), ("", "a", true, false), ("^$", "", true, true), (".+", "", false, false),
    ])
  func matching(expression: String, text: String, anywhere: Bool, whole: Bool) throws {
    let pattern = try RE2Pattern(expression)
    #expect(pattern.matches(text) == anywhere)
    #expect(pattern.matchesWhole(text) == whole)
  }

  @Test("letters are code points; cases fold beyond ASCII; a zero byte is a byte like others")
  func letters() throws {
    #expect(try RE2Pattern("^.$").matches("é"))
    #expect(try RE2Pattern("^[à-ü]{2}$").matches("éü"))
    #expect(try RE2Pattern("(?i)ÉCOLE").matches("école"))
    #expect(try RE2Pattern("école", isCaseInsensitive: true).matches("ÉCOLE"))
    #expect(try !RE2Pattern("école").matches("ÉCOLE"))
    #expect(try RE2Pattern("^\\p{Greek}+$").matches("λόγος"))
    #expect(try RE2Pattern("a\u{0}b").matches("xa\u{0}by"))
    #expect(try RE2Pattern("b$").matches("a\u{0}b"))
  }

  @Test(
    "what is no expression is refused in RE2's words",
    arguments: [
      ("a(b", "missing ): a(b"), ("a)b", "unexpected ): a)b"), ("[a", "missing ]: [a"),
      ("*a", "no argument for repetition operator: *"),
      ("a**", "bad repetition operator: **"), ("a{1001}", "invalid repetition size: {1001}"),
      ("[z-a]", "invalid character class range: z-a"), ("(?=a)", "invalid perl operator: (?="),
      ("(a)\\1", "invalid escape sequence: \\1"), ("a\\", "trailing \\"),
    ])
  func malformed(expression: String, message: String) {
    #expect(Self.refusal(expression) == message)
  }

  @Test("an expression that would need more memory than it may have is refused")
  func memory() throws {
    #expect(Self.refusal("((a{30}){30}){30}") == "invalid repetition size: {30}")
    #expect(Self.refusal("[[:word:]]{200}", memoryMax: 4 << 10) == "pattern too large - compile failed")
    #expect(try RE2Pattern("[[:word:]]{200}").matches(String(repeating: "_", count: 200)))
  }

  @Test("what stops engines that backtrack is answered: no nesting of repetitions is too much")
  func linear() throws {
    let pattern = try RE2Pattern("(a*)*(a*)*(a|aa)+b")
    #expect(!pattern.matches(String(repeating: "a", count: 100_000)))
    #expect(pattern.matches(String(repeating: "a", count: 100_000) + "b"))
  }

  @Test("groups are byte ranges; one that took no part is none, one that is empty is a place")
  func captures() throws {
    let pattern = try RE2Pattern("(?P<verb>GET|PUT) (?:/é)?(/\\w*)( HTTP)?")
    #expect(pattern.groupCount == 3)
    #expect((0...4).map { pattern.groupName($0) } == [nil, "verb", nil, nil, nil])
    #expect(Self.groups(pattern, "x PUT /é/a HTTP") == [2..<16, 2..<5, 9..<11, 11..<16])
    #expect(Self.groups(pattern, "GET /") == [0..<5, 0..<3, 4..<5, nil])
    #expect(Self.groups(pattern, "POST /") == nil)
  }

  @Test("a search that starts inside a text still knows what stands before")
  func continued() throws {
    let word = try RE2Pattern("\\b\\w+")
    #expect(Self.groups(word, "ab cd", from: 0) == [0..<2])
    #expect(Self.groups(word, "ab cd", from: 1) == [3..<5])
    #expect(Self.groups(word, "ab cd", from: 5) == nil)
    #expect(Self.groups(try RE2Pattern("^ab"), "abab", from: 2) == nil)
    #expect(Self.groups(try RE2Pattern("x*"), "abab", from: 2) == [2..<2])
  }
}
