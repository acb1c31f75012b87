import LakePorts
import LakeSystem
import Testing

@Suite struct LogFilterTests {
  @Test("the manual's example shows info, and debug of queries only") func manualExample() throws {
    let filter = try LogFilter("info,icegate_query=debug")
    #expect(filter.allows(.info, "shift.committed"))
    #expect(!filter.allows(.debug, "shift.committed"))
    #expect(filter.allows(.debug, "query.planned"))
    #expect(!filter.allows(.trace, "query.planned"))
    #expect(!filter.allows(.debug, "querying.planned"))
  }

  @Test("the longest module decides, and the last directive of a module") func longest() throws {
    let filter = try LogFilter(" query=error , icegate_query::plan=trace, query = off,warn")
    #expect(filter.allows(.trace, "query.plan"))
    #expect(filter.allows(.trace, "query.plan.chosen"))
    #expect(!filter.allows(.error, "query.ran"))
    #expect(filter.allows(.warning, "wal.sealed"))
    #expect(!filter.allows(.info, "wal.sealed"))
  }

  @Test("without a bare level the rest is error; a bare module shows all of it") func defaults() throws {
    let filter = try LogFilter("icegate_wal")
    #expect(filter.allows(.trace, "wal.sealed"))
    #expect(filter.allows(.error, "query.failed"))
    #expect(!filter.allows(.warning, "query.failed"))
    #expect(try LogFilter("icegate=debug").allows(.debug, "anything"))
    #expect(try LogFilter("off").lowest == nil)
    #expect(try !LogFilter("off").allows(.error, "anything"))
  }

  @Test("what is not understood is an error") func errors() {
    #expect(throws: LogFilterError.levelUnknown("loud")) { try LogFilter("query=loud") }
    #expect(throws: LogFilterError.directiveMalformed("a-b")) { try LogFilter("info,a-b") }
    #expect(throws: LogFilterError.directiveMalformed("[span]=info")) { try LogFilter("[span]=info") }
    #expect(throws: LogFilterError.directiveMalformed("a:b=info")) { try LogFilter("a:b=info") }
    #expect(throws: LogFilterError.directiveMalformed("=info")) { try LogFilter("=info") }
  }
}
