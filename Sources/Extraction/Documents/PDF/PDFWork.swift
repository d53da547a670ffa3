import Deflate

/// How much more may be done for one PDF. Following references can lead to the same bytes again and again; this bounds
/// it to a multiple of the file's length.
struct PDFWork {
  private let streamBytes: Int
  private let inflatedBytes: Int
  /// Bytes that may still be looked at on the way along references.
  private var steps: Int
  /// Bytes that streams may still inflate to.
  private var inflatable: Int

  init(_ limits: DocumentLimits, fileLength: Int) {
    streamBytes = limits.streamBytes
    inflatedBytes = limits.inflatedBytes
    inflatable = limits.inflatedBytes
    steps = 4 * fileLength + (1 << 20)
  }

  /// Takes note of bytes that were looked at.
  mutating func spend(_ bytes: Int) throws(DocumentFault) {
    steps -= bytes
    if steps < 0 { throw .tangled }
  }

  /// The content of a zlib stream; nil if it is damaged or not complete.
  mutating func inflate(
    _ bytes: [UInt8], in range: Range<Int>
  ) throws(DocumentFault) -> [UInt8]? {
    let limit = min(streamBytes, inflatable)
    do throws(DeflateError) {
      let content = try inflateZlib(bytes, in: range, maximumLength: limit)
      inflatable -= content.count
      steps += 4 * content.count
      return content
    } catch .tooLarge {
      throw .bomb(limit: limit == streamBytes ? streamBytes : inflatedBytes)
    } catch {
      // It may have inflated to this much before it failed: 1,032 is the most for one byte.
      inflatable -= min(limit, range.count * 1_032)
      return nil
    }
  }
}
