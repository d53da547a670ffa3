import Bytes

/// The file of a snapshot, format version 1. Numbers are big-endian.
///
/// ```
/// file     = "tollbook snapshot 1" LF, section …
/// section  = kind (1), length of the content (4), CRC-32C of these two (4), content, CRC-32C of the content (4)
/// ```
///
/// | kind | content |
/// |---|---|
/// | `M` | the manifest, once and first: a JSON object; see ``SnapshotManifest`` |
/// | `R` | rows of a table: number of view and table (1 each), then for each row both lengths (4 each), key, value |
/// | `B` | bodies: for each its digest (32), the length of its row in the table `bodies` (4), that row |
/// | `E` | once and last: SHA-256 of the file before this section (32) |
///
/// Views stand in the order of the manifest, their tables too, and after them the events that the view has parked, as
/// one more table with the position (8) as key and the reason as value. A table takes as many sections as it needs,
/// none if it is empty; its keys rise. Bodies follow the last view, their digests rise.
///
/// So a damage is found where it is: by the checksum of the section that it is in, and if a whole section is missing,
/// repeated or exchanged, by the order of keys and by counts. The digests of the views in the manifest prove the rows,
/// the digest that names a body proves it, and the SHA-256 at the end proves all of it together.
enum SnapshotFormat {
  /// The version that is written, and the newest that is read.
  static let version = 1
  static let magicBeginning = Array("tollbook snapshot ".utf8)
  static let magic = magicBeginning + Array("\(version)\n".utf8)
  /// Longer first lines are not ours.
  static let longestMagic = magicBeginning.count + 20

  /// Content after which a section of rows ends.
  static let rowPortion = 256 << 10
  /// Content after which a section of bodies ends: enough for all cores to inflate some.
  static let bodyPortion = 4 << 20

  enum Section: UInt8, Sendable {
    case manifest = 0x4d
    case rows = 0x52
    case bodies = 0x42
    case end = 0x45
  }

  static let headSize = 9
  static let checksumSize = 4
  static let digestSize = 32

  /// What stands before a section's content.
  static func head(_ section: Section, length: Int) -> [UInt8] {
    var head = [section.rawValue]
    head.append(bigEndian: UInt32(length))
    head.append(bigEndian: crc32c(head.span))
    return head
  }
}
