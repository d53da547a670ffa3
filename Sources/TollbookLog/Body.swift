import Bytes
import Crypto
package import Deflate

/// What an upstream sent for one resource, compressed, under the SHA-256 of its content.
///
/// Stored as length and CRC-32 of the content, CRC-32C of the rest of the row (4 bytes each, big-endian) and a raw
/// deflate fragment that ends in a sync flush, so that any number of bodies join into one gzip answer. If the highest bit
/// of the length is set the fragment is made of pieces that can be joined without each other, and before it stand their
/// number (2 bytes) and of each its part (1), the length of its content, the length of its fragment and the CRC-32 of its
/// content (4 each).
package struct Body: Hashable, Sendable {
  /// SHA-256 of the content: its key.
  package let digest: [UInt8]
  /// Of the whole content.
  package let fragment: Fragment
  /// What the content is made of, in its order; empty: it is one piece.
  package let pieces: [Piece]

  /// A piece of a body that can be joined without the others.
  package struct Piece: Hashable, Sendable {
    /// What it is, as its kind numbers it.
    package let part: UInt8
    /// Where its fragment stands in that of the body.
    package let range: Range<Int>
    package let rawLength: Int
    package let crc32: UInt32
  }

  /// Where a content is cut: the part of each piece and its length in bytes.
  package struct Cut: Hashable, Sendable {
    package var part: UInt8
    package var length: Int

    package init(part: UInt8, length: Int) {
      self.part = part
      self.length = length
    }
  }

  private static let headerSize = 12
  private static let pieceSize = 13
  private static let hasPieces: UInt32 = 1 << 31
  /// The most pieces of one body.
  package static let mostPieces = 1_000

  /// Compresses the content: some milliseconds for 50 KB, so not on the writer thread.
  ///
  /// - Parameter cuts: the pieces of it, in its order; if they are not all of it, it is one piece.
  package init(_ content: [UInt8], cuts: [Cut] = []) {
    digest = Array(SHA256.hash(data: content))
    guard cuts.count > 1, cuts.count <= Self.mostPieces, cuts.allSatisfy({ $0.length > 0 }),
      cuts.reduce(0, { $0 + $1.length }) == content.count
    else {
      fragment = Fragment.compressing(content)
      pieces = []
      return
    }
    var parts: [Fragment] = []
    var pieces: [Piece] = []
    var (start, place) = (0, 0)
    for cut in cuts {
      let part = Fragment.compressing(Array(content[start..<start + cut.length]))
      start += cut.length
      pieces.append(
        Piece(
          part: cut.part, range: place..<place + part.bytes.count, rawLength: part.rawLength,
          crc32: part.crc32))
      place += part.bytes.count
      parts.append(part)
    }
    fragment = Fragment(joining: parts)
    self.pieces = pieces
  }

  /// The bytes of its content, compressed.
  package var compressedBytes: Int { fragment.bytes.count }

  /// The row as it is stored.
  package var row: [UInt8] {
    let mark = pieces.isEmpty ? 0 : Self.hasPieces
    var checked: [UInt8] = []
    checked.append(bigEndian: UInt32(fragment.rawLength) | mark)
    checked.append(bigEndian: fragment.crc32)
    var index: [UInt8] = []
    if !pieces.isEmpty {
      index.append(bigEndian: UInt16(pieces.count))
      for piece in pieces {
        index.append(piece.part)
        index.append(bigEndian: UInt32(piece.rawLength))
        index.append(bigEndian: UInt32(piece.range.count))
        index.append(bigEndian: piece.crc32)
      }
    }
    let checksum = crc32c(
      fragment.bytes.span, continuing: crc32c(index.span, continuing: crc32c(checked.span)))
    var row = checked
    row.reserveCapacity(Self.headerSize + index.count + fragment.bytes.count)
    row.append(bigEndian: checksum)
    row.append(contentsOf: index)
    row.append(contentsOf: fragment.bytes)
    return row
  }

  /// Reads a row of `bodies` and checks its checksum; the digest is checked by `content`.
  package init(digest: [UInt8], row: RawSpan) throws(Damage) {
    guard row.byteCount >= Self.headerSize,
      crc32c(
        row.extracting(Self.headerSize..<row.byteCount),
        continuing: crc32c(row.extracting(0..<8))) == row.bigEndianUInt32(at: 8)
    else {
      throw Self.damage(digest, "a body does not match its checksum")
    }
    self.digest = digest
    let length = row.bigEndianUInt32(at: 0)
    var start = Self.headerSize
    var pieces: [Piece] = []
    if length & Self.hasPieces != 0 {
      guard let found = Self.pieces(of: row) else {
        throw Self.damage(digest, "the pieces of a body are not all of it")
      }
      pieces = found
      start += 2 + pieces.count * Self.pieceSize
    }
    self.pieces = pieces
    fragment = Fragment(
      bytes: row.bytes(in: start..<row.byteCount), rawLength: Int(length & ~Self.hasPieces),
      crc32: row.bigEndianUInt32(at: 4))
  }

  /// Nil if they are not the whole fragment.
  private static func pieces(of row: RawSpan) -> [Piece]? {
    guard row.byteCount >= headerSize + 2 else { return nil }
    let count = Int(row.bigEndianUInt16(at: headerSize))
    let start = headerSize + 2
    guard count > 1, count <= mostPieces, row.byteCount >= start + count * pieceSize else {
      return nil
    }
    var pieces: [Piece] = []
    pieces.reserveCapacity(count)
    var (place, rawLength) = (0, 0)
    for index in 0..<count {
      let at = start + index * pieceSize
      let piece = Piece(
        part: row.byte(at: at), range: place..<place + Int(row.bigEndianUInt32(at: at + 5)),
        rawLength: Int(row.bigEndianUInt32(at: at + 1)), crc32: row.bigEndianUInt32(at: at + 9))
      place = piece.range.upperBound
      rawLength += piece.rawLength
      pieces.append(piece)
    }
    let isWhole =
      place == row.byteCount - start - count * pieceSize
      && rawLength == Int(row.bigEndianUInt32(at: 0) & ~hasPieces)
    return isWhole ? pieces : nil
  }

  /// What a row of so many bytes takes of the data file: its key and its place in a page, and whole pages of its own where
  /// it is longer than LMDB puts beside others (two of them and their keys fill a page of 4 KiB).
  package static func space(ofRow bytes: Int) -> Int {
    let node = 8 + 32 + 2
    let (header, page) = (16, 4_096)
    guard node + bytes > (page - header) / 2 else { return node + bytes }
    return node + 8 + (header + bytes + page - 1) / page * page
  }

  /// The content, inflated and checked against its digest.
  package func content() throws(Damage) -> [UInt8] {
    guard let content = try? fragment.inflated() else {
      throw Self.damage(digest, "a body cannot be inflated")
    }
    guard Array(SHA256.hash(data: content)) == digest else {
      throw Self.damage(digest, "a body does not match its digest")
    }
    return content
  }

  private static func damage(_ digest: [UInt8], _ problem: String) -> Damage {
    Damage(table: LogTables.bodiesName, problem: "\(problem): \(digest.hexadecimal)")
  }
}

extension GzipJoiner {
  /// Adds the content of a piece of a body, without inflating it.
  package mutating func append(_ piece: Body.Piece, of body: Body) {
    append(
      fragment: body.fragment.bytes, in: piece.range, rawLength: piece.rawLength,
      crc32: piece.crc32)
  }
}

extension [UInt8] {
  /// Two lower-case digits a byte.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
