import LakeJSON
import LakeModel
import LakeSchema
import Testing

@testable import LakeWAL

@Suite struct SegmentMetadataTests {
  private let metadata = SegmentMetadata(
    contentID: ContentID(high: 1, low: 2), topic: .logs,
    rowGroups: [
      .init(key: PartitionKey(tenant: TenantID("a")!, account: nil, day: -1), rowCount: 3),
      .init(key: PartitionKey(tenant: TenantID("b")!, account: AccountID("x")!, day: 20_000), rowCount: 2),
    ],
    requests: [
      .init(fingerprint: Fingerprint(high: 3, low: 4), shares: [.init(rowGroup: 0, rowCount: 1)]),
      .init(fingerprint: nil, shares: [.init(rowGroup: 0, rowCount: 2), .init(rowGroup: 1, rowCount: 2)]),
    ])

  @Test("the footer entry is one text")
  func text() throws {
    #expect(
      metadata.json == """
        {"content":"00000000000000010000000000000002","topic":"logs",\
        "rowGroups":[{"tenant":"a","day":-1,"rows":3},{"tenant":"b","account":"x","day":20000,"rows":2}],\
        "requests":[["00000000000000030000000000000004",0,1],[null,0,2,1,2]]}
        """)
    #expect(try SegmentMetadata(json: metadata.json) == metadata)
    #expect(metadata.rowCount == 5)
  }

  @Test("whether a row group may hold events is said when it is known")
  func events() throws {
    let key = PartitionKey(tenant: TenantID("a")!, account: nil, day: 1)
    for known in [nil, true, false] {
      let metadata = SegmentMetadata(
        contentID: ContentID(high: 1, low: 2), topic: .logs,
        rowGroups: [.init(key: key, rowCount: 1, mayHoldEvents: known)],
        requests: [.init(fingerprint: nil, shares: [.init(rowGroup: 0, rowCount: 1)])])
      #expect(metadata.json.contains(#""events":"#) == (known != nil))
      #expect(try SegmentMetadata(json: metadata.json) == metadata)
    }
  }

  @Test(
    "counts that do not add up are an error, because readers count from them",
    arguments: [
      #"[["00000000000000030000000000000004",0,1],[null,0,1,1,2]]"#, #"[[null,0,3,1,2,2,1]]"#, #"[[null,1,2,0,3]]"#,
      #"[[null,0,3,0,0,1,2]]"#, #"[["xyz",0,3,1,2]]"#, #"[[]]"#,
      #"[[null,0,9223372036854775807],[null,0,4],[null,1,2]]"#,
    ])
  func malformed(requests: String) {
    let head = metadata.json.prefix { $0 != "[" } + "["
    let groups = #"{"tenant":"a","day":-1,"rows":3},{"tenant":"b","account":"x","day":20000,"rows":2}],"requests":"#
    #expect(throws: JSONError.self) { try SegmentMetadata(json: "\(head)\(groups)\(requests)}") }
  }
}
