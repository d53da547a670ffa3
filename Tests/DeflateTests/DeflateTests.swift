import Deflate
import Foundation
import Testing

@Suite struct FragmentTests {
  @Test(arguments: 1...3 as ClosedRange<UInt64>, [0, 1, 6, 9])
  func `what was compressed comes back`(seed: UInt64, level: Int) throws {
    var random = SeededGenerator(seed: seed)
    for length in [0, 1, 5, 300, 20_000, 200_000] {
      let content = random.text(length: length)

      let fragment = Fragment.compressing(content, level: level)

      #expect(fragment.rawLength == length)
      #expect(fragment.bytes.suffix(4) == [0, 0, 0xff, 0xff])
      #expect(try fragment.inflated() == content)
      #expect(try gunzip(gzip(content, level: level), maximumLength: length) == content)
    }
  }

  @Test func `each cut of a fragment is refused`() {
    let fragment = Fragment.compressing([UInt8]("tokens, tokens, tokens".utf8))
    for length in 0..<fragment.bytes.count {
      let cut = [UInt8](fragment.bytes.prefix(length))
      #expect(throws: DeflateError.truncated, "\(length) bytes") {
        try inflateFragment(cut, rawLength: fragment.rawLength)
      }
    }
  }

  @Test func `a wrong length or checksum is refused`() throws {
    let content = [UInt8]("tokens, tokens, tokens".utf8)
    var fragment = Fragment.compressing(content)
    #expect(throws: DeflateError.tooLarge(limit: 21)) {
      try inflateFragment(fragment.bytes, rawLength: 21)
    }
    #expect(throws: DeflateError.truncated) {
      try inflateFragment(fragment.bytes, rawLength: 23)
    }
    #expect(try inflateFragment(fragment.bytes, rawLength: 22) == content)

    fragment.crc32 ^= 1

    #expect(throws: DeflateError.corrupted) { try fragment.inflated() }
  }

  @Test func `each flipped bit of a fragment is refused or harmless`() throws {
    let content = [UInt8]("tokens, tokens, tokens".utf8)
    let fragment = Fragment.compressing(content)
    for bit in 0..<fragment.bytes.count * 8 {
      var damaged = fragment
      damaged.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      // Padding bits carry nothing; whatever is accepted must be the content.
      let found = try? damaged.inflated()
      #expect(found == nil || found == content, "bit \(bit)")
    }
  }

  @Test func `a finished stream is not a fragment`() {
    let content = [UInt8]("abc".utf8)
    let finished = [UInt8](gzip(content).dropFirst(10).dropLast(8))
    #expect(throws: DeflateError.corrupted) { try inflateFragment(finished, rawLength: 3) }
  }

  @Test func `a fragment that holds more than it says stops at what it says`() {
    let bomb = Fragment.compressing([UInt8](repeating: 0, count: 50_000_000))
    #expect(bomb.bytes.count < 100_000)
    #expect(throws: DeflateError.tooLarge(limit: 1000)) {
      try inflateFragment(bomb.bytes, rawLength: 1000)
    }
  }
}

@Suite struct GzipTests {
  @Test func `a zip bomb is refused at the limit`() throws {
    let bomb = gzip([UInt8](repeating: 0, count: 50_000_000))
    #expect(throws: DeflateError.tooLarge(limit: 1_000_000)) {
      try gunzip(bomb, maximumLength: 1_000_000)
    }
    #expect(throws: DeflateError.tooLarge(limit: 49_999_999)) {
      try gunzip(bomb, maximumLength: 49_999_999)
    }
    #expect(try gunzip(bomb, maximumLength: 50_000_000).count == 50_000_000)
  }

  @Test func `an empty content fits into a limit of nothing`() throws {
    #expect(try gunzip(gzip([]), maximumLength: 0) == [])
    #expect(throws: DeflateError.tooLarge(limit: 0)) { try gunzip(gzip([1]), maximumLength: 0) }
  }

  @Test func `each cut of a gzip file is refused`() {
    let file = gzip([UInt8]("tokens, tokens, tokens".utf8))
    for length in 0..<file.count {
      #expect(throws: DeflateError.truncated, "\(length) bytes") {
        try gunzip([UInt8](file.prefix(length)), maximumLength: 100)
      }
    }
  }

  @Test func `a damaged checksum, a trailing byte and plain text are refused`() {
    var damaged = gzip([UInt8]("tokens".utf8))
    damaged[damaged.count - 5] ^= 1
    let trailed = gzip([UInt8]("tokens".utf8)) + [0]
    for file in [damaged, trailed, [UInt8]("{\"tokens\": 1}".utf8)] {
      #expect(throws: DeflateError.corrupted) { try gunzip(file, maximumLength: 100) }
    }
  }

  @Test func `several members are one content, under one limit`() throws {
    let file = gzip([UInt8]("ab".utf8)) + gzip([]) + gzip([UInt8]("cd".utf8))
    #expect(try gunzip(file, maximumLength: 4) == [UInt8]("abcd".utf8))
    #expect(throws: DeflateError.tooLarge(limit: 3)) { try gunzip(file, maximumLength: 3) }
  }

  @Test func `zlib streams are inflated too`() throws {
    // python3 -c 'import zlib; print(zlib.compress(b"tokens").hex())'
    let stream: [UInt8] = [
      0x78, 0x9c, 0x2b, 0xc9, 0xcf, 0x4e, 0xcd, 0x2b, 0x06, 0x00, 0x09, 0x13, 0x02, 0x95,
    ]
    #expect(try gunzip(stream, maximumLength: 10) == [UInt8]("tokens".utf8))
    #expect(throws: DeflateError.corrupted) { try gunzip(stream + [0], maximumLength: 10) }
  }
}

@Suite struct ZlibTests {
  // python3 -c 'import zlib; print(zlib.compress(b"tokens").hex())'
  private let stream: [UInt8] = [
    0x78, 0x9c, 0x2b, 0xc9, 0xcf, 0x4e, 0xcd, 0x2b, 0x06, 0x00, 0x09, 0x13, 0x02, 0x95,
  ]

  @Test func `a zlib stream is inflated from where it stands, whatever follows`() throws {
    let file = [1, 2] + stream + [10, 13]
    for end in [14, 16, 18] {
      #expect(
        try inflateZlib(file, in: 2..<end, maximumLength: 6) == [UInt8]("tokens".utf8), "\(end)")
    }
    var unchecked = stream
    unchecked[13] ^= 1
    #expect(try inflateZlib(unchecked, in: 0..<14, maximumLength: 6) == [UInt8]("tokens".utf8))
  }

  @Test func `a zlib stream that is cut, damaged or too long is refused`() {
    for end in 0..<10 {
      #expect(throws: DeflateError.truncated, "\(end) bytes") {
        try inflateZlib(stream, in: 0..<end, maximumLength: 6)
      }
    }
    #expect(throws: DeflateError.tooLarge(limit: 5)) {
      try inflateZlib(stream, in: 0..<14, maximumLength: 5)
    }
    for (index, byte) in [(0, 0x79), (0, 0x88), (1, 0x9d), (1, 0xbb), (2, 0xff)] {
      var damaged = stream
      damaged[index] = UInt8(byte)
      #expect(throws: DeflateError.corrupted, "byte \(index)") {
        try inflateZlib(damaged, in: 0..<14, maximumLength: 6)
      }
    }
  }
}

@Suite struct JoinerTests {
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `joined fragments and text are one gzip file for others, too`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var joiner = GzipJoiner(reservingCapacity: 100_000)
    var content: [UInt8] = []
    joiner.appendText("[")
    content += "[".utf8
    for length in [0, 1, 3000, 70_000] {
      let part = random.text(length: length)
      joiner.append(Fragment.compressing(part, level: Int.random(in: 0...9, using: &random)))
      joiner.appendText(",\n")
      content += part + ",\n".utf8
    }
    // Longer than one stored block can be.
    let long = random.text(length: 140_000)
    joiner.appendText(long.span)
    content += long

    let file = joiner.finish()

    #expect(try gunzip(file, maximumLength: content.count) == content)
    let script =
      "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"
    #expect(try output(of: ["python3", "-c", script], reading: file) == content)
    #expect(try output(of: ["gzip", "-dc"], reading: file) == content)
    #expect(try output(of: ["gzip", "-t"], reading: file) == [])
  }

  @Test func `nothing joined is an empty file`() throws {
    #expect(try gunzip(GzipJoiner().finish(), maximumLength: 0) == [])
  }

  @Test func `a wrong checksum of a part is found by the reader`() {
    let fragment = Fragment.compressing([UInt8]("tokens".utf8))
    var joiner = GzipJoiner()
    fragment.bytes.withUnsafeBytes { bytes in
      joiner.append(fragment: bytes.bytes, rawLength: 6, crc32: fragment.crc32 ^ 1)
    }
    #expect(throws: DeflateError.corrupted) { try gunzip(joiner.finish(), maximumLength: 10) }
  }

  /// Runs a program with a file as its input; throws unless it ends well.
  private func output(of command: [String], reading input: [UInt8]) throws -> [UInt8] {
    let path = NSTemporaryDirectory() + "tollbook-deflate-" + UUID().uuidString
    try Data(input).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return [UInt8](output)
  }
}

/// Repeatable random numbers (SplitMix64, Steele and others 2014).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// Bytes that repeat themselves at times, as JSON does, and at times are noise.
  mutating func text(length: Int) -> [UInt8] {
    var text: [UInt8] = []
    while text.count < length {
      if text.count > 20 && Int.random(in: 0..<3, using: &self) > 0 {
        let start = Int.random(in: 0..<text.count - 10, using: &self)
        text += text[start..<min(start + 100, text.count)]
      } else {
        text.append(UInt8.random(in: 0...255, using: &self))
      }
    }
    return [UInt8](text.prefix(length))
  }
}
