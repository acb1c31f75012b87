// Targets of libFuzzer: see scripts/fuzz. The first byte of an input chooses signal and limits, the rest is a request. Whatever it is, it becomes rows or an
// OTLPError, and rows become a request again.

import LakeModel
import LakeSchema

@testable import LakeOTLP

#if canImport(Glibc)
import Glibc
#endif

private let encoding: OTLPEncoding =
  getenv("FUZZ_TARGET").map { String(cString: $0) } == "otlp-json" ? .json : .protobuf

private func decode(
  _ body: Bytes, _ signal: OTLPSignal, _ encoding: OTLPEncoding, _ context: DecodeContext
) throws(OTLPError) -> DecodedRows {
  switch signal {
  case .logs: try LogsDecoder.decode(body, encoding: encoding, context: context)
  case .traces: try SpansDecoder.decode(body, encoding: encoding, context: context)
  case .metrics: try MetricsDecoder.decode(body, encoding: encoding, context: context)
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 0 else { return 0 }
  let choice = data[0]
  let body = Bytes(copying: UnsafeRawBufferPointer(start: data + 1, count: count - 1))
  var context = DecodeContext(
    tenant: TenantID("t")!, account: nil, ingested: Timestamp(nanoseconds: 1_700_000_000_000_000_000))
  if choice & 4 != 0 {
    context.recordLimits = RecordLimits(
      attributesMax: 2, attributeBytesMax: 9, bodyBytesMax: 20, onExcess: choice & 8 != 0 ? .reject : .truncate)
  }
  let signal: OTLPSignal = choice % 3 == 0 ? .logs : choice % 3 == 1 ? .traces : .metrics
  guard let decoded = try? decode(body, signal, encoding, context) else { return 0 }
  precondition(decoded.batch.count == decoded.recordCount)
  let back: Bytes?
  switch signal {
  case .logs: back = try? LogsEncoder.encode(decoded.batch, encoding: .protobuf)
  case .traces: back = try? SpansEncoder.encode(decoded.batch, encoding: .protobuf)
  case .metrics: back = try? MetricsEncoder.encode(decoded.batch, encoding: .protobuf)
  }
  guard let back else { preconditionFailure("rows of a decoded request that no request can be made of") }
  guard choice & 4 == 0, let again = try? decode(back, signal, .protobuf, context) else {
    precondition(choice & 4 != 0, "a request of ours that we do not take")
    return 0
  }
  precondition(again.recordCount == decoded.recordCount, "rows were lost")
  return 0
}
