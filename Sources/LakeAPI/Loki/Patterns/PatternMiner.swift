import LakeHash

/// Finds what lines have in common, in one pass (Drain: Online Log Parsing Approach with Fixed Depth Tree, He et al., 2017).
///
///     line -> tokens -> leaf by token count and first words -> most similar cluster there -> words that differ become <_>
///                                                           \-> none is similar: a cluster of its own
///
/// Memory is bounded by the number of clusters: beyond it, the one seen least gives way.
struct PatternMiner {
  /// Lines of one form, and how many fell into each span of time.
  struct Cluster {
    var tokens: [ClusterToken]
    var counts: [Int64: Int] = [:]
    var total = 0
  }

  struct ClusterToken: Equatable {
    /// nil: differs from line to line.
    var text: [UInt8]?
    let isSpaced: Bool
    let isWord: Bool
    let hasDigit: Bool
  }

  private struct LeafKey: Hashable {
    let count: Int
    let words: UInt64
  }

  /// Share of a line's words that must agree with a cluster's.
  private let similarityMin: Double
  private let clustersMax: Int
  private var clusters: [Cluster?] = []
  private var free: [Int] = []
  private var leaves: [LeafKey: [Int]] = [:]
  private var keys: [LeafKey] = []
  private var tokens = PatternTokens()
  private var liveCount = 0
  /// Lines of clusters that gave way.
  private(set) var forgottenCount = 0

  /// Words that choose the leaf.
  private static let leafWords = 2

  init(similarityMin: Double = 0.5, clustersMax: Int = 500) {
    self.similarityMin = similarityMin
    self.clustersMax = clustersMax
  }

  /// - Parameter span: in which the line is counted.
  mutating func add(_ line: UnsafeRawBufferPointer, span: Int64) {
    tokens.read(line)
    if tokens.tokens.isEmpty { return }
    let key = leafKey(line)
    if let index = bestMatch(line, leaves[key] ?? []) {
      generalize(index, line)
      clusters[index]!.counts[span, default: 0] += 1
      clusters[index]!.total += 1
      return
    }
    insert(line, key, span)
  }

  /// Clusters with most lines first; those that turned out alike are one.
  consuming func finish() -> [Cluster] {
    var merged: [Cluster] = []
    let all = clusters.compactMap { $0 }.sorted { PatternMiner.isBefore($0, $1) }
    for cluster in all {
      if let index = merged.firstIndex(where: { similarity($0.tokens, cluster.tokens) >= similarityMin }) {
        merged[index].absorb(cluster)
      } else {
        merged.append(cluster)
      }
    }
    return merged.sorted { PatternMiner.isBefore($0, $1) }
  }

  private static func isBefore(_ a: Cluster, _ b: Cluster) -> Bool {
    a.total == b.total ? a.text < b.text : a.total > b.total
  }

  // MARK: - Finding

  private func leafKey(_ line: UnsafeRawBufferPointer) -> LeafKey {
    var hash: UInt64 = 0
    var taken = 0
    for token in tokens.tokens where token.isWord {
      let word = UnsafeRawBufferPointer(rebasing: line[Int(token.start)..<Int(token.end)])
      hash = hash &* 31 &+ (token.hasDigit ? 1 : XXHash.xxh3(word))
      taken += 1
      if taken == PatternMiner.leafWords { break }
    }
    return LeafKey(count: tokens.tokens.count, words: hash)
  }

  private func bestMatch(_ line: UnsafeRawBufferPointer, _ candidates: [Int]) -> Int? {
    var best: (index: Int, similarity: Double)?
    for index in candidates {
      let similarity = similarity(line, clusters[index]!.tokens)
      if similarity >= similarityMin, similarity > best?.similarity ?? -1 { best = (index, similarity) }
    }
    return best?.index
  }

  /// Of the line in hand. Marks must be the same; words count when equal, or when both have digits.
  private func similarity(_ line: UnsafeRawBufferPointer, _ cluster: [ClusterToken]) -> Double {
    guard cluster.count == tokens.tokens.count else { return 0 }
    var words = 0
    var equal = 0
    for (token, known) in zip(tokens.tokens, cluster) {
      guard token.isWord == known.isWord else { return 0 }
      let isSame = PatternMiner.isSame(line, token, known)
      if !token.isWord {
        if !isSame { return 0 }
        continue
      }
      words += 1
      if isSame || (token.hasDigit && known.hasDigit) { equal += 1 }
    }
    return words == 0 ? 1 : Double(equal) / Double(words)
  }

  private static func isSame(
    _ line: UnsafeRawBufferPointer, _ token: PatternTokens.Token, _ known: ClusterToken
  ) -> Bool {
    guard let text = known.text else { return false }
    return line[Int(token.start)..<Int(token.end)].elementsEqual(text)
  }

  private func similarity(_ a: [ClusterToken], _ b: [ClusterToken]) -> Double {
    guard a.count == b.count else { return 0 }
    var words = 0
    var equal = 0
    for (left, right) in zip(a, b) {
      guard left.isWord == right.isWord else { return 0 }
      if !left.isWord {
        if left.text != right.text { return 0 }
        continue
      }
      words += 1
      if left.text == right.text || (left.hasDigit && right.hasDigit) { equal += 1 }
    }
    return words == 0 ? 1 : Double(equal) / Double(words)
  }

  // MARK: - Changing

  private mutating func generalize(_ index: Int, _ line: UnsafeRawBufferPointer) {
    for position in tokens.tokens.indices {
      let known = clusters[index]!.tokens[position]
      if known.text != nil, !PatternMiner.isSame(line, tokens.tokens[position], known) {
        clusters[index]!.tokens[position].text = nil
      }
    }
  }

  private mutating func insert(_ line: UnsafeRawBufferPointer, _ key: LeafKey, _ span: Int64) {
    if liveCount == clustersMax { dropLeast() }
    let new = Cluster(
      tokens: tokens.tokens.map { token in
        ClusterToken(
          text: Array(line[Int(token.start)..<Int(token.end)]), isSpaced: token.isSpaced, isWord: token.isWord,
          hasDigit: token.hasDigit)
      }, counts: [span: 1], total: 1)
    let index: Int
    if let place = free.popLast() {
      index = place
      clusters[place] = new
      keys[place] = key
    } else {
      index = clusters.count
      clusters.append(new)
      keys.append(key)
    }
    leaves[key, default: []].append(index)
    liveCount += 1
  }

  /// Half of the clusters give way at once, those with fewest lines, so that an addition costs a constant on average.
  private mutating func dropLeast() {
    let live = clusters.indices.filter { clusters[$0] != nil }.sorted { clusters[$0]!.total < clusters[$1]!.total }
    for index in live.prefix(max(1, live.count / 2)) {
      forgottenCount += clusters[index]!.total
      clusters[index] = nil
      leaves[keys[index]]!.removeAll { $0 == index }
      if leaves[keys[index]]!.isEmpty { leaves[keys[index]] = nil }
      free.append(index)
      liveCount -= 1
    }
  }
}

extension PatternMiner.Cluster {
  /// `<_> level=info msg="order <_> handled"`: neighbouring gaps are one.
  var text: String {
    var out: [UInt8] = []
    var wasGap = false
    for token in tokens {
      if token.isSpaced && !out.isEmpty {
        out.append(32)
        wasGap = false
      }
      guard let text = token.text else {
        if !wasGap { out += Array("<_>".utf8) }
        wasGap = true
        continue
      }
      out += text
      wasGap = false
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Takes another's lines in; words that differ become gaps.
  mutating func absorb(_ other: PatternMiner.Cluster) {
    for index in tokens.indices where tokens[index].text != other.tokens[index].text { tokens[index].text = nil }
    for (span, count) in other.counts { counts[span, default: 0] += count }
    total += other.total
  }
}
