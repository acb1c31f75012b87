import Testing

@testable import LakeStorage

@Suite("Tags of files")
struct FileTagTests {
  @Test("are time, inode and size")
  func spelled() {
    for (time, inode, size): (UInt64, UInt64, Int) in [
      (0, 0, 0), (1, 15, 16), (.max, .max, .max), (0x1234_5678_9ABC_DEF0, 0xFFFF, 1_000_000),
    ] {
      #expect(
        PosixFiles.tag(time, inode, size) == "\(String(time, radix: 16))-\(String(inode, radix: 16))-\(size)")
    }
  }
}
