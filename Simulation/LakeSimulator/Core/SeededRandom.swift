import LakeModel

/// Chance from a seed: the same draws in every process.
///
/// SplitMix64. A fork depends on the seed and the fork's name only, not on what has been drawn, so that a new draw in one
/// place does not reshuffle the rest.
package struct SeededRandom: RandomNumberGenerator, Sendable {
  private let origin: UInt64
  private var state: UInt64

  package init(seed: UInt64) {
    origin = SeededRandom.mixed(seed &+ 0x9E37_79B9_7F4A_7C15)
    state = origin
  }

  package func fork(_ name: String) -> SeededRandom {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return SeededRandom(seed: origin ^ SeededRandom.mixed(hash))
  }

  package func fork(_ name: StaticString, _ number: Int) -> SeededRandom {
    SeededRandom(seed: fork("\(name)").origin &+ UInt64(bitPattern: Int64(number)) &* 0xD1B5_4A32_D192_ED03)
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return SeededRandom.mixed(state)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in the range.
  package mutating func uniform(_ range: Range<Int>) -> Int {
    precondition(!range.isEmpty)
    return range.lowerBound + Int(next().multipliedFullWidth(by: UInt64(range.count)).high)
  }

  package mutating func uniform(_ range: ClosedRange<Int>) -> Int { uniform(range.lowerBound..<range.upperBound + 1) }

  /// Uniform in 0 ..< 1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  package mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  package mutating func pick<T>(_ choices: [T]) -> T { choices[uniform(0..<choices.count)] }

  /// Uniform between the bounds, at nanosecond resolution.
  package mutating func duration(_ range: ClosedRange<Duration>) -> Duration {
    let low = range.lowerBound.nanoseconds
    return .nanoseconds(low + Int64(unit() * Double(range.upperBound.nanoseconds - low)))
  }

  /// Between the bounds with every order of magnitude alike: mostly short, sometimes very long.
  package mutating func logarithmic(_ range: ClosedRange<Duration>) -> Duration {
    let low = Double(max(1, range.lowerBound.nanoseconds))
    let ratio = Double(range.upperBound.nanoseconds) / low
    // 2^x by halving: no libm, whose last digit may differ between machines.
    var scale = 1.0
    var power = unit() * SeededRandom.log2(ratio)
    while power >= 1 {
      scale *= 2
      power -= 1
    }
    return .nanoseconds(Int64(low * scale * (1 + power)))
  }

  /// Piecewise linear between powers of two.
  private static func log2(_ value: Double) -> Double {
    precondition(value >= 1)
    return Double(value.exponent) + (value.significand - 1)
  }
}
