extension Column {
  /// The values at `rows`, in that order, repeats allowed. Dictionaries are shared, not copied.
  ///
  /// - Precondition: every row lies in `0..<count`, and the byte runs of the result hold at most 4 GiB.
  package func gather(_ rows: Buffer<Int32>) -> Column {
    rows.withValues { precondition(Gather.allLie(in: count, $0)) }
    return gatherTrusted(rows)
  }

  private func gatherTrusted(_ rows: Buffer<Int32>) -> Column {
    let present = validity.map { Gather.values($0, rows) }
    return Column(values.gather(rows), count: rows.count, validity: present)
  }
}

extension Column.Values {
  fileprivate func gather(_ rows: Buffer<Int32>) -> Column.Values {
    switch self {
    case .boolean(let values): return .boolean(Gather.values(values, rows))
    case .int32(let values): return .int32(Gather.values(values, rows))
    case .int64(let values): return .int64(Gather.values(values, rows))
    case .float(let values): return .float(Gather.values(values, rows))
    case .double(let values): return .double(Gather.values(values, rows))
    case .fixed(let data, let width): return .fixed(Gather.fixed(data, width: width, rows), width: width)
    case .bytes(let offsets, let data):
      let (newOffsets, newData) = Gather.runs(offsets: offsets, data: data, rows)
      return .bytes(offsets: newOffsets, data: newData)
    case .dictionary(let indices, let dictionary):
      return .dictionary(indices: Gather.values(indices, rows), dictionary: dictionary)
    case .list(let offsets, let element):
      let (newOffsets, elements) = Gather.elements(offsets: offsets, rows)
      return .list(offsets: newOffsets, element: element.gather(elements))
    case .structure(let children): return .structure(children.map { $0.gather(rows) })
    case .map(let offsets, let keys, let values):
      let (newOffsets, elements) = Gather.elements(offsets: offsets, rows)
      return .map(offsets: newOffsets, keys: keys.gather(elements), values: values.gather(elements))
    }
  }
}

/// The loops under `Column.gather`. Rows have been checked by the time they are called.
enum Gather {
  static func allLie(in count: Int, _ rows: UnsafeBufferPointer<Int32>) -> Bool {
    // A negative row is a huge unsigned one; one pass without branches.
    var highest: UInt32 = 0
    for row in rows { highest = max(highest, UInt32(bitPattern: row)) }
    return rows.isEmpty || Int(highest) < count
  }

  static func values<T: BitwiseCopyable>(_ source: Buffer<T>, _ rows: Buffer<Int32>) -> Buffer<T> {
    source.withValues { source in
      rows.withValues { rows in
        Buffer(count: rows.count) { out in
          guard let from = source.baseAddress else { return }
          for index in 0..<rows.count { out[index] = from[Int(rows[index])] }
        }
      }
    }
  }

  static func fixed(_ source: Buffer<UInt8>, width: Int, _ rows: Buffer<Int32>) -> Buffer<UInt8> {
    source.withValues { source in
      rows.withValues { rows in
        Buffer(count: rows.count * width) { out in
          guard let from = source.baseAddress else { return }
          switch width {
          case 8: words(UnsafeRawPointer(from), UnsafeMutableRawPointer(out), rows, SIMD8<UInt8>.self)
          case 16: words(UnsafeRawPointer(from), UnsafeMutableRawPointer(out), rows, SIMD16<UInt8>.self)
          default:
            for index in 0..<rows.count {
              (out + index * width).update(from: from + Int(rows[index]) * width, count: width)
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private static func words<T: BitwiseCopyable>(
    _ from: UnsafeRawPointer, _ out: UnsafeMutableRawPointer, _ rows: UnsafeBufferPointer<Int32>, _ type: T.Type
  ) {
    let width = MemoryLayout<T>.size
    for index in 0..<rows.count {
      let word = from.loadUnaligned(fromByteOffset: Int(rows[index]) &* width, as: type)
      out.storeBytes(of: word, toByteOffset: index &* width, as: type)
    }
  }

  /// Byte runs copied one after another.
  static func runs(
    offsets: Buffer<UInt32>, data: Buffer<UInt8>, _ rows: Buffer<Int32>
  ) -> (Buffer<UInt32>, Buffer<UInt8>) {
    let newOffsets = lengths(offsets, rows)
    let newData = Buffer<UInt8>(count: Int(newOffsets[rows.count])) { out in
      offsets.withValues { offsets in
        data.withValues { data in
          rows.withValues { rows in
            guard let from = data.baseAddress else { return }
            var at = out
            for row in rows {
              let start = Int(offsets[Int(row)])
              let length = Int(offsets[Int(row) &+ 1]) &- start
              at.update(from: from + start, count: length)
              at += length
            }
          }
        }
      }
    }
    return (newOffsets, newData)
  }

  /// New offsets of the runs at `rows`, and the row numbers of their elements.
  static func elements(offsets: Buffer<UInt32>, _ rows: Buffer<Int32>) -> (Buffer<UInt32>, Buffer<Int32>) {
    let newOffsets = lengths(offsets, rows)
    let total = Int(newOffsets[rows.count])
    precondition(total <= Int(Int32.max))
    let elements = Buffer<Int32>(count: total) { out in
      offsets.withValues { offsets in
        rows.withValues { rows in
          var at = out
          for row in rows {
            let start = Int32(truncatingIfNeeded: offsets[Int(row)])
            let end = Int32(truncatingIfNeeded: offsets[Int(row) &+ 1])
            var element = start
            while element < end {
              at.pointee = element
              at += 1
              element &+= 1
            }
          }
        }
      }
    }
    return (newOffsets, elements)
  }

  /// Offsets of the runs at `rows` laid one after another, starting at 0.
  private static func lengths(_ offsets: Buffer<UInt32>, _ rows: Buffer<Int32>) -> Buffer<UInt32> {
    Buffer(count: rows.count + 1) { out in
      offsets.withValues { offsets in
        rows.withValues { rows in
          var end = 0
          out[0] = 0
          for index in 0..<rows.count {
            let row = Int(rows[index])
            end &+= Int(offsets[row &+ 1]) &- Int(offsets[row])
            out[index &+ 1] = UInt32(truncatingIfNeeded: end)
          }
          precondition(end <= Int(UInt32.max))
        }
      }
    }
  }
}
