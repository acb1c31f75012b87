import LakeModel

extension LabelSet {
  /// The labels whose names pass.
  func filtered(_ keeps: (UnsafeBufferPointer<UInt8>) -> Bool) -> LabelSet {
    var packer = LabelPacker()
    packer.begin()
    forEach { name, value in
      if keeps(name) { packer.append(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value)) }
    }
    return packer.labelCount == count ? self : packer.set
  }

  /// - Parameter names: UTF-8.
  func keeping(_ names: [[UInt8]]) -> LabelSet {
    filtered { name in names.contains { $0.elementsEqual(name) } }
  }

  /// Loki keeps empty labels of a series until an operation builds a new set from it.
  func withoutEmptyValues() -> LabelSet {
    var packer = LabelPacker()
    packer.begin()
    forEach { name, value in
      if !value.isEmpty {
        packer.append(name: UnsafeRawBufferPointer(name), value: UnsafeRawBufferPointer(value))
      }
    }
    return packer.labelCount == count ? self : packer.set
  }

  func dropping(_ names: [[UInt8]]) -> LabelSet {
    filtered { name in !names.contains { $0.elementsEqual(name) } }
  }

  /// The set with one label set (or, with an empty value, taken away).
  func setting(_ name: String, to value: [UInt8]) -> LabelSet {
    let wanted = Array(name.utf8)
    var packer = LabelPacker()
    packer.begin()
    var isPending = !value.isEmpty
    forEach { other, otherValue in
      if other.elementsEqual(wanted) { return }
      if isPending && wanted.lexicographicallyPrecedes(other) {
        value.withUnsafeBytes { packer.append(name: wanted, value: $0) }
        isPending = false
      }
      packer.append(name: UnsafeRawBufferPointer(other), value: UnsafeRawBufferPointer(otherValue))
    }
    if isPending { value.withUnsafeBytes { packer.append(name: wanted, value: $0) } }
    return packer.set
  }

  func value(_ name: [UInt8]) -> [UInt8]? {
    var found: [UInt8]?
    forEach { other, value in if other.elementsEqual(name) { found = Array(value) } }
    return found
  }
}
