import Foundation
import LakeModel
import LakeQuery
import Testing

@testable import LakeAPI

struct LokiResultWriterTests {
  private func column(_ lines: [String]) -> Column {
    var builder = BytesColumnBuilder()
    for line in lines { builder.append(line) }
    return builder.column()
  }

  private func data(_ result: LogQueryResult.Data, isCategorized: Bool = false, at time: Timestamp? = nil) -> String {
    let text = LokiResultWriter.write(
      LogQueryResult(data: result, statistics: QueryStatistics()), isCategorized: isCategorized, at: time
    ).text
    let start = text.range(of: "\"data\":")!.upperBound
    return text[start...].components(before: ",\"stats\":")
  }

  @Test("streams hold their labels and entries as pairs of texts")
  func streams() {
    let streams = [
      LogStream(
        labels: LabelSet([("service_name", "a\"b"), ("env", "é")]), times: [1_700_000_000_000_000_001, 5],
        lines: column(["x\n\"y\"", "\u{1}"]))
    ]
    #expect(
      data(.streams(streams))
        == #"{"resultType":"streams","result":[{"stream":{"env":"é","service_name":"a\"b"},"#
        + #""values":[["1700000000000000001","x\n\"y\""],["5","\u0001"]]}]"#)
    #expect(data(.streams([])) == #"{"resultType":"streams","result":[]"#)
  }

  @Test("lines behind a dictionary are the same lines")
  func dictionary() {
    let lines = Column(.dictionary(indices: Buffer([1, 0, 1]), dictionary: column(["a", "b"])), count: 3)
    let streams = [LogStream(labels: LabelSet([("x", "y")]), times: [3, 2, 1], lines: lines)]
    #expect(
      data(.streams(streams))
        == #"{"resultType":"streams","result":[{"stream":{"x":"y"},"values":[["3","b"],["2","a"],["1","b"]]}]"#)
  }

  @Test("categorised entries carry their metadata and parsed labels")
  func categorized() {
    let streams = [
      LogStream(
        labels: LabelSet([("x", "y")]), times: [2, 1], lines: column(["l", "m"]),
        metadata: [
          EntryMetadata(structured: LabelSet([("id", "1")]), parsed: LabelSet([("p", "q")])),
          EntryMetadata(structured: .empty, parsed: .empty),
        ])
    ]
    #expect(
      data(.streams(streams), isCategorized: true)
        == #"{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[{"stream":{"x":"y"},"#
        + #""values":[["2","l",{"structuredMetadata":{"id":"1"},"parsed":{"p":"q"}}],["1","m",{}]]}]"#)
  }

  @Test(
    "samples say nothing of encoding flags and have their time in seconds to the millisecond and their value as text")
  func samples() {
    let series = SampleSeries(
      labels: LabelSet([("a", "b")]),
      times: [1_768_471_500_500, 1_768_471_501_000, 1_768_471_501_050].map { Timestamp(nanoseconds: $0 * 1_000_000) },
      values: [0.30666666666666664, 1e21, .nan])
    #expect(
      data(.matrix([series]))
        == #"{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1768471500.5,"0.30666666666666664"],"#
        + #"[1768471501,"1000000000000000000000"],[1768471501.05,"NaN"]]}]"#)
    let sample = VectorSample(labels: .empty, time: Timestamp(nanoseconds: 1_768_473_600_000_000_000), value: -235)
    #expect(
      data(.vector([sample]), isCategorized: true)
        == #"{"resultType":"vector","result":[{"metric":{},"value":[1768473600,"-235"]}]"#)
  }

  @Test("a scalar's time is what Loki makes of it")
  func scalar() {
    #expect(
      data(.scalar(2), at: Timestamp(nanoseconds: 1_768_473_600_000_000_000))
        == #"{"resultType":"scalar","result":[-2413831076116,"2"]"#)
  }
}

extension Substring {
  fileprivate func components(before mark: String) -> String {
    range(of: mark).map { String(self[..<$0.lowerBound]) } ?? String(self)
  }
}
