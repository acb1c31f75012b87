import LakeModel

/// Cuts a chunk's entries into pages, always between rows.
struct PageSplitter {
  struct Page {
    /// Counted from the start of the row group.
    var rows: Range<Int>
    var entries: Range<Int>
    /// Present values.
    var values: Range<Int>
  }

  private let shredded: ShreddedLeaf
  private let options: ParquetWriterOptions
  private let maxDefinition: UInt8
  /// Entries looked at together while rows are counted.
  private static let blockCount = 128

  init(_ shredded: ShreddedLeaf, options: ParquetWriterOptions) {
    self.shredded = shredded
    self.options = options
    // Present entries are those of the highest level; a leaf without any has no values to cut.
    maxDefinition = shredded.definition?.withValues { $0.max() ?? 0 } ?? 0
  }

  /// At least one page, also for a chunk without rows.
  func pages(_ bytes: (Range<Int>) -> Int) -> [Page] {
    var pages: [Page] = []
    var at = (row: 0, entry: 0, value: 0)
    let hasValues = shredded.presentCount > 0
    repeat {
      var rows = max(1, options.pageRows)
      var end = advance(from: at, rows: rows, hasValues: hasValues)
      while end.row - at.row > 1 {
        let size = bytes(at.value..<end.value)
        if size <= options.pageBytes { break }
        rows = max(1, min((end.row - at.row) * options.pageBytes / size, (end.row - at.row) / 2))
        end = advance(from: at, rows: rows, hasValues: hasValues)
      }
      pages.append(Page(rows: at.row..<end.row, entries: at.entry..<end.entry, values: at.value..<end.value))
      at = end
    } while at.entry < shredded.count
    return pages
  }

  private func advance(
    from start: (row: Int, entry: Int, value: Int), rows: Int, hasValues: Bool
  ) -> (row: Int, entry: Int, value: Int) {
    var end = start
    if let repetition = shredded.repetition {
      repetition.withValues { levels in
        var left = rows
        // Whole blocks while all rows that begin in them fit.
        while end.entry + Self.blockCount <= levels.count {
          let inner = Levels.count(levels.baseAddress! + end.entry, Self.blockCount, atLeast: 1)
          guard Self.blockCount - inner <= left else { break }
          left -= Self.blockCount - inner
          end.entry += Self.blockCount
        }
        while end.entry < levels.count {
          if levels[end.entry] == 0 {
            if left == 0 { break }
            left -= 1
          }
          end.entry += 1
        }
        end.row = start.row + rows - left
      }
    } else {
      end.entry = min(shredded.count, start.entry + rows)
      end.row = start.row + end.entry - start.entry
    }
    guard hasValues else { return end }
    if let definition = shredded.definition {
      definition.withValues { levels in
        // None is above the highest.
        let count = end.entry - start.entry
        end.value = start.value + Levels.count(levels.baseAddress! + start.entry, count, atLeast: maxDefinition)
      }
    } else {
      end.value = start.value + end.entry - start.entry
    }
    return end
  }
}
