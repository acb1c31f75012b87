import Foundation
import Testing

@testable import LakeLogQL
@testable import LakeModel

/// What Loki's own parser said to queries of ours.
struct RecordedParserTests {
  struct Case {
    var query: String
    var error: String?
    var text: String?
    var pretty: String?
    var stage: String?
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/recorded/loki-3.7.6")

  static func load() throws -> [Case] {
    let file = folder.appendingPathComponent("parser.json")
    let raw = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    return (raw as! [[String: String]]).map {
      Case(query: $0["query"]!, error: $0["error"], text: $0["text"], pretty: $0["pretty"], stage: $0["stage"])
    }
  }

  @Test("every recorded query gives Loki's message or Loki's canonical and pretty text")
  func recorded() throws {
    let cases = try Self.load()
    #expect(cases.count == 2103)
    for item in cases {
      var error: String?
      var text: String?
      var pretty: String?
      var stage: String?
      do throws(LogQL.SyntaxError) {
        let query = try LogQL.parseUnbuilt(item.query)
        text = query.description
        pretty = query.pretty
        do throws(LogQL.SyntaxError) { _ = try LogQL.parse(item.query) } catch { stage = error.description }
      } catch let problem {
        error = problem.description
      }
      #expect(error == item.error, "\(item.query)")
      #expect(text == item.text, "\(item.query)")
      #expect(pretty == (item.pretty ?? item.text), "\(item.query)")
      #expect(stage == item.stage, "\(item.query)")
    }
  }

  @Test("canonical and pretty texts read back as the same tree")
  func roundTrip() throws {
    var count = 0
    for item in try Self.load() where item.text != nil {
      let query = try LogQL.parseUnbuilt(item.query)
      // Sizes are printed rounded, offsets in pretty text without what is below a millisecond.
      if query.description.contains(/[0-9][kMGT]B/) || query.description.contains(/offset -?[0-9.]+[nuµ]s/) { continue }
      count += 1
      #expect(try LogQL.parseUnbuilt(query.description).description == query.description, "\(item.query)")
      #expect(try LogQL.parseUnbuilt(query.pretty).description == query.description, "\(item.query)")
    }
    #expect(count > 500)
  }
}
