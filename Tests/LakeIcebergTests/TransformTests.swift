import LakeIceberg
import LakeModel
import LakeSchema
import Testing

/// Vectors of the Iceberg specification, "Partition Transforms" and Appendix B.
@Suite("partition transforms")
struct TransformTests {
  private static let instant: Int64 = 1_510_871_468_000_000  // 2017-11-16T22:31:08Z

  @Test(
    "bucket as the specification's hash vectors say",
    arguments: [
      (.int(34), .int, 2_017_239_379), (.long(34), .long, 2_017_239_379),
      (.decimal(1420), .decimal(precision: 9, scale: 2), -500_754_589),
      (.int(17_486), .date, -653_330_422), (.long(81_068_000_000), .time, -662_762_989),
      (.long(instant), .timestamp, -2_047_944_441), (.long(instant + 1), .timestamp, -1_207_196_810),
      (.long(instant), .timestamptz, -2_047_944_441), (.string("iceberg"), .string, 1_210_000_089),
      (
        .binary([0xF7, 0x9C, 0x3E, 0x09, 0x67, 0x7C, 0x4B, 0xBD, 0xA4, 0x79, 0x3F, 0x34, 0x9C, 0xB7, 0x85, 0xE7]),
        .uuid, 1_488_055_340
      ),
      (.binary([0, 1, 2, 3]), .fixed(4), -188_683_207), (.binary([0, 1, 2, 3]), .binary, -188_683_207),
    ] as [(Datum, FieldType, Int32)])
  func bucket(value: Datum, type: FieldType, hash: Int32) throws {
    for count in [1, 16, 100, Int(Int32.max)] {
      let wanted = Int32((Int64(hash) & 0x7FFF_FFFF) % Int64(count))
      #expect(try Transform.bucket(count).apply(value, type: type) == .int(wanted))
    }
  }

  @Test(
    "truncate as the specification says",
    arguments: [
      (10, .int(1), .int, .int(0)), (10, .int(-1), .int, .int(-10)), (10, .int(9), .int, .int(0)),
      (10, .long(-10), .long, .long(-10)), (10, .long(-11), .long, .long(-20)),
      (50, .decimal(1065), .decimal(precision: 9, scale: 2), .decimal(1050)),
      (50, .decimal(-5), .decimal(precision: 9, scale: 2), .decimal(-50)),
      (3, .string("iceberg"), .string, .string("ice")), (3, .string("ü日🧊x"), .string, .string("ü日🧊")),
      (3, .string("ab"), .string, .string("ab")), (2, .string("e\u{301}e"), .string, .string("e\u{301}")),
      (3, .binary([1, 2, 3, 4, 5]), .binary, .binary([1, 2, 3])),
    ] as [(Int, Datum, FieldType, Datum)])
  func truncate(width: Int, value: Datum, type: FieldType, result: Datum) throws {
    #expect(try Transform.truncate(width).apply(value, type: type) == result)
  }

  @Test(
    "times fall into the years, months, days and hours that contain them",
    arguments: [
      (instant, 47, 574, 17_486, 419_686), (0, 0, 0, 0, 0), (-1, -1, -1, -1, -1),
      (-86_400_000_000, -1, -1, -1, -24), (-86_400_000_001, -1, -1, -2, -25),
      (951_782_400_000_000, 30, 361, 11_016, 264_384),  // 2000-02-29
    ] as [(Int64, Int32, Int32, Int32, Int32)])
  func times(time: Int64, year: Int32, month: Int32, day: Int32, hour: Int32) throws {
    for type in [FieldType.timestamp, .timestamptz] {
      #expect(try Transform.year.apply(.long(time), type: type) == .int(year))
      #expect(try Transform.month.apply(.long(time), type: type) == .int(month))
      #expect(try Transform.day.apply(.long(time), type: type) == .int(day))
      #expect(try Transform.hour.apply(.long(time), type: type) == .int(hour))
    }
    #expect(try Transform.month.apply(.int(day), type: .date) == .int(month))
  }

  @Test("null stays null, void makes everything null")
  func nulls() throws {
    for transform in [Transform.identity, .bucket(4), .truncate(4), .day, .void] {
      #expect(try transform.apply(nil, type: transform == .day ? .date : .int) == nil)
    }
    #expect(try Transform.void.apply(.int(3), type: .int) == nil)
  }

  @Test("a value that a transform does not take is an error, as is a transform we do not know")
  func refusals() throws {
    #expect(throws: IcebergError.self) { try Transform.hour.apply(.int(3), type: .date) }
    #expect(throws: IcebergError.self) { try Transform.bucket(4).apply(.double(3), type: .double) }
    #expect(throws: IcebergError.self) { try Transform.identity.apply(.string("x"), type: .int) }
    #expect(throws: IcebergError.unsupported("partition transform zorder")) {
      try Transform("zorder").apply(.int(3), type: .int)
    }
    #expect(throws: IcebergError.self) { try Transform.day.apply(.long(.max), type: .int) }
  }

  @Test("their texts are read back; what is no transform stays as text")
  func texts() {
    for text in ["identity", "year", "month", "day", "hour", "void", "bucket[16]", "truncate[1]"] {
      #expect(Transform(text).text == text)
      if case .unknown = Transform(text) { Issue.record("\(text) is unknown") }
    }
    for text in ["bucket[0]", "bucket[-1]", "bucket[99999999999]", "bucket", "truncate[x]", "", "Identity"] {
      #expect(Transform(text) == .unknown(text))
    }
  }

  @Test("spell partition paths as other engines do")
  func paths() {
    let spec = PartitionSpec(
      id: 0,
      fields: [
        PartitionField(sourceID: 1, fieldID: 1000, name: "tenant id", transform: .identity),
        PartitionField(sourceID: 2, fieldID: 1001, name: "account", transform: .identity),
        PartitionField(sourceID: 3, fieldID: 1002, name: "day", transform: .day),
        PartitionField(sourceID: 3, fieldID: 1003, name: "hour", transform: .hour),
        PartitionField(sourceID: 3, fieldID: 1004, name: "month", transform: .month),
        PartitionField(sourceID: 3, fieldID: 1005, name: "year", transform: .year),
        PartitionField(sourceID: 4, fieldID: 1006, name: "raw", transform: .identity),
        PartitionField(sourceID: 5, fieldID: 1007, name: "price", transform: .identity),
      ])
    let types: [FieldType] = [.string, .string, .date, .int, .int, .int, .binary, .decimal(precision: 4, scale: 2)]
    #expect(
      spec.path(
        of: [
          .string("a/b c=ü"), nil, .int(20_758), .int(-1), .int(574), .int(56), .binary([1, 2, 255, 9]), .decimal(-5),
        ], types: types)
        == "tenant+id=a%2Fb+c%3D%C3%BC/account=null/day=2026-11-01/hour=1969-12-31-23/month=2017-11/year=2026"
        + "/raw=AQL%2FCQ%3D%3D/price=-0.05")
    #expect(PartitionSpec(id: 0, fields: []).path(of: [], types: []) == "")
  }
}
