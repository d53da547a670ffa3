import CZlib

// The only calls of zlib. Its state points back at the z_stream, so a stream stays at one address
// from its initialisation to its end: inside one call of `withUnsafeMutablePointer`.

/// What zlib may be fed in one call; its counters are 32 bits wide.
let longestInput = Int(UInt32.max) - 1024

/// The CRC-32 of gzip.
func gzipChecksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
  let start = unsafe bytes.bindMemory(to: UInt8.self).baseAddress
  // SAFETY: zlib reads exactly the bytes of the buffer, during the call.
  return UInt32(truncatingIfNeeded: unsafe crc32_z(0, start, bytes.count))
}

/// The CRC-32 of two pieces one after the other, from theirs.
func gzipChecksum(of first: UInt32, followedBy second: UInt32, length: Int) -> UInt32 {
  UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), length))
}

/// Compresses in one go to raw deflate.
///
/// - Parameter flush: `Z_FINISH` for a whole stream, `Z_SYNC_FLUSH` for a piece that ends on a byte
///   and can be followed by another.
func deflate(_ content: UnsafeRawBufferPointer, level: Int, flush: Int32) -> [UInt8] {
  precondition((0...9).contains(level), "zlib has levels 0 to 9")
  precondition(content.count <= longestInput, "too long for one call of zlib")
  var stream = unsafe z_stream()
  // SAFETY: input and output outlive the calls, and zlib is told their lengths.
  return unsafe withUnsafeMutablePointer(to: &stream) { stream in
    let started = unsafe tollbook_deflate_init(stream, Int32(level))
    precondition(started == Z_OK, "zlib could not allocate its state")
    defer { unsafe _ = deflateEnd(stream) }
    // The bound is for a finished stream; the mark of a sync flush takes a few bytes more.
    let room = unsafe Int(deflateBound(stream, UInt(content.count))) + 64
    return unsafe [UInt8](unsafeUninitializedCapacity: room) { output, count in
      unsafe feed(stream, content)
      unsafe stream.pointee.next_out = output.baseAddress
      unsafe stream.pointee.avail_out = UInt32(room)
      let code = unsafe CZlib.deflate(stream, flush)
      unsafe precondition(
        code == (flush == Z_FINISH ? Z_STREAM_END : Z_OK) && stream.pointee.avail_out > 0,
        "zlib's bound holds")
      unsafe count = room - Int(stream.pointee.avail_out)
    }
  }
}

/// Where an inflation stopped.
struct Inflation {
  var content: [UInt8]
  /// How much of the input was used.
  var consumed: Int
  /// Whether the last block of the stream was read.
  var isFinished: Bool
  /// Whether it stopped between two blocks and on a whole byte, where a sync flush ends: zlib tells
  /// by bit 7 and, for unused bits of the last byte, bits 0 to 2 of `data_type`.
  var isBetweenBlocks: Bool
}

/// Inflates until the stream or the input ends.
///
/// - Parameters:
///   - windowBits: As in zlib: -15 for raw deflate, 47 for gzip or zlib, whichever it is.
///   - expected: The likely length, so that memory is taken once.
///   - limit: The greatest length; at most one byte more is ever allocated.
func inflate(
  _ input: UnsafeRawBufferPointer, windowBits: Int32, expected: Int, limit: Int
) throws(DeflateError) -> Inflation {
  precondition(input.count <= longestInput, "too long for one call of zlib")
  let limit = min(limit, Int.max - 1)
  var stream = unsafe z_stream()
  // SAFETY: the input outlives the calls; the output is set anew before each.
  return unsafe try withUnsafeMutablePointer(to: &stream) {
    (stream) throws(DeflateError) -> Inflation in
    let started = unsafe tollbook_inflate_init(stream, windowBits)
    precondition(started == Z_OK, "zlib could not allocate its state")
    defer { unsafe _ = inflateEnd(stream) }
    unsafe feed(stream, input)
    var content: [UInt8] = []
    var room = min(max(expected, 1024), limit) + 1
    while true {
      let code = unsafe inflate(stream, into: &content, room: min(room, 1 << 30))
      if content.count > limit { throw .tooLarge(limit: limit) }
      // Room left over means that zlib has ended, or wants input that is not there.
      if code == Z_OK || code == Z_BUF_ERROR, unsafe stream.pointee.avail_out == 0 {
        room = min(content.count, limit - content.count) + 1
        continue
      }
      guard code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END else { throw .corrupted }
      return unsafe Inflation(
        content: content, consumed: input.count - Int(stream.pointee.avail_in),
        isFinished: code == Z_STREAM_END,
        isBetweenBlocks: stream.pointee.data_type & 0x87 == 0x80)
    }
  }
}

/// Inflates at most `room` bytes more.
@unsafe private func inflate(
  _ stream: UnsafeMutablePointer<z_stream>, into content: inout [UInt8], room: Int
) -> Int32 {
  var code: Int32 = Z_OK
  let piece = unsafe [UInt8](unsafeUninitializedCapacity: room) { output, count in
    unsafe stream.pointee.next_out = output.baseAddress
    unsafe stream.pointee.avail_out = UInt32(room)
    unsafe code = CZlib.inflate(stream, Z_SYNC_FLUSH)
    unsafe count = room - Int(stream.pointee.avail_out)
  }
  if content.isEmpty { content = piece } else { content += piece }
  return code
}

@unsafe private func feed(
  _ stream: UnsafeMutablePointer<z_stream>, _ input: UnsafeRawBufferPointer
) {
  // zlib takes its input by a mutable pointer, yet only reads it.
  let bytes = unsafe input.bindMemory(to: UInt8.self)
  unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
  unsafe stream.pointee.avail_in = UInt32(input.count)
}
