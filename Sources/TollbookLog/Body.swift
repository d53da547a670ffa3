import Bytes
import Crypto
package import Deflate

/// What an upstream sent for one resource, compressed, under the SHA-256 of its content.
///
/// Stored as length and CRC-32 of the content, CRC-32C of the rest of the row (4 bytes each, big-endian) and a raw
/// deflate fragment that ends in a sync flush, so that any number of bodies join into one gzip answer.
package struct Body: Hashable, Sendable {
  /// SHA-256 of the content: its key.
  package let digest: [UInt8]
  package let fragment: Fragment

  private static let headerSize = 12

  /// Compresses the content: some milliseconds for 50 KB, so not on the writer thread.
  package init(_ content: [UInt8]) {
    digest = Array(SHA256.hash(data: content))
    fragment = Fragment.compressing(content)
  }

  /// The row as it is stored.
  package var row: [UInt8] {
    var checked: [UInt8] = []
    checked.append(bigEndian: UInt32(fragment.rawLength))
    checked.append(bigEndian: fragment.crc32)
    let checksum = crc32c(fragment.bytes.span, continuing: crc32c(checked.span))
    var row = checked
    row.reserveCapacity(Self.headerSize + fragment.bytes.count)
    row.append(bigEndian: checksum)
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
    fragment = Fragment(
      bytes: row.bytes(in: Self.headerSize..<row.byteCount),
      rawLength: Int(row.bigEndianUInt32(at: 0)), crc32: row.bigEndianUInt32(at: 4))
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

extension [UInt8] {
  /// Two lower-case digits a byte.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
