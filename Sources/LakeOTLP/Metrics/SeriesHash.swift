import LakeHash

/// The identity of a series in 128 bits: the sum, modulo 2^128, of XXH3-128 over the metric's name and over each attribute of the point's map
/// (resource, scope and own ones merged), so that the order of attributes does not matter.
///
///     name       "n" name
///     attribute  "a" key 00 "s" value      value as the map's text; "n" instead of "s" value when there is none
///
/// Not against malice: whoever can write points can write points of a series.
struct SeriesHash {
  private(set) var high: UInt64 = 0
  private(set) var low: UInt64 = 0

  mutating func add(_ bytes: RawBytes) {
    let hash = XXHash.xxh3_128(UnsafeRawBufferPointer(bytes.buffer))
    let (sum, carry) = low.addingReportingOverflow(hash.low)
    low = sum
    high = high &+ hash.high &+ (carry ? 1 : 0)
  }
}
