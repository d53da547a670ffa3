import Bytes
import Testing

@Suite struct BytesTests {
  @Test func `numbers are read as big-endian from any offset`() {
    let bytes: [UInt8] = [0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    let read = bytes.withUnsafeBytes { buffer in
      let span = buffer.bytes
      return (
        span.byte(at: 0), span.bigEndianUInt16(at: 2), span.bigEndianUInt32(at: 1),
        span.bigEndianUInt64(at: 2), span.bytes(in: 8..<10)
      )
    }
    #expect(read == (0xff, 0x0102, 0x0001_0203, 0x0102_0304_0506_0708, [7, 8]))
  }

  @Test func `reading past the end stops the process`() async {
    await #expect(processExitsWith: .failure) {
      [UInt8]([1, 2, 3]).withUnsafeBytes { _ = $0.bytes.bigEndianUInt32(at: 0) }
    }
    await #expect(processExitsWith: .failure) {
      [UInt8]([1, 2, 3]).withUnsafeBytes { _ = $0.bytes.byte(at: .max) }
    }
    await #expect(processExitsWith: .failure) {
      [UInt8]([1, 2, 3]).withUnsafeBytes { _ = $0.bytes.bigEndianUInt16(at: -1) }
    }
  }

  @Test(arguments: [
    ("", ""), ("", "a"), ("a", "a"), ("a", "b"), ("a", "ab"), ("ab", "b"), ("\u{ff}", "\u{7f}"),
  ])
  func `spans compare as their bytes do`(first: String, second: String) {
    for (left, right) in [(bytes(first), bytes(second)), (bytes(second), bytes(first))] {
      left.withUnsafeBytes { buffer in
        let span = buffer.bytes
        #expect(span.elementsEqual(right) == (left == right))
        #expect(span.starts(with: right) == left.starts(with: right))
        #expect(
          span.lexicographicallyPrecedes(right.span) == left.lexicographicallyPrecedes(right))
      }
    }
  }

  @Test func `text is decoded only if it is UTF-8`() {
    bytes("Käse").withUnsafeBytes { buffer in
      #expect(buffer.bytes.utf8String == "Käse")
      #expect(buffer.bytes.utf8String(in: 0..<1) == "K")
      #expect(buffer.bytes.utf8String(in: 0..<2) == nil)
    }
  }

  @Test func `keys are built so that they sort as what they stand for`() {
    var key: [UInt8] = []
    key.append(terminated: "ab")
    key.append(bigEndian: UInt16(0x0102))
    key.append(bigEndian: UInt32(3))
    key.append(bigEndian: UInt64(4))
    key.append(utf8: "é")
    #expect(key == [97, 98, 0, 1, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0xc3, 0xa9])

    let inlined = UInt64(0x0102_0304_0506_0708).bigEndianBytes
    #expect(inlined.indices.map { inlined[$0] } == [1, 2, 3, 4, 5, 6, 7, 8])
    let short = UInt32(0x0102_0304).bigEndianBytes
    #expect(short.indices.map { short[$0] } == [1, 2, 3, 4])
  }

  @Test func `the check value of CRC-32C is right, whole and in pieces`() {
    let digits = bytes("123456789")
    #expect(crc32c(digits.span) == 0xe306_9283)
    #expect(
      crc32c(digits.span, in: 4..<9, continuing: crc32c(digits.span, in: 0..<4)) == 0xe306_9283)
    digits.withUnsafeBytes { buffer in
      #expect(crc32c(buffer.bytes) == 0xe306_9283)
      #expect(crc32c(buffer.bytes, in: 0..<0) == 0)
    }
  }
}

private func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }
