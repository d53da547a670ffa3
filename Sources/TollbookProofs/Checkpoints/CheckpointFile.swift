import Foundation
package import TollbookLog

/// The file `checkpoints` of a data directory: every checkpoint that was published, one below the other, each with an
/// empty line behind it. Only ever appended to.
package struct CheckpointFile: Sendable {
  package static let fileName = "checkpoints"

  private let path: String

  package init(_ directory: DataDirectory) { path = "\(directory.path)/\(Self.fileName)" }

  /// What was published, in order. An entry that a crash cut short is passed over.
  package func notes() -> [(note: SignedNote, checkpoint: Checkpoint)] {
    guard let data = FileManager.default.contents(atPath: path) else { return [] }
    return Self.notes(in: Array(data))
  }

  static func notes(in bytes: [UInt8]) -> [(note: SignedNote, checkpoint: Checkpoint)] {
    var found: [(note: SignedNote, checkpoint: Checkpoint)] = []
    var text: [UInt8] = []
    for block in blocks(of: bytes) {
      guard block.starts(with: Array("— ".utf8)) else {
        text = block
        continue
      }
      // Base64 that was cut short may still be base64, of a shorter signature.
      if let note = SignedNote(text + [0x0A] + block),
        let checkpoint = Checkpoint(text: note.text),
        note.signatures.allSatisfy({ $0.bytes.count == 64 })
      {
        found.append((note, checkpoint))
      }
      text = []
    }
    return found
  }

  /// Runs of lines that are not empty, each with its newlines.
  private static func blocks(of bytes: [UInt8]) -> [[UInt8]] {
    var blocks: [[UInt8]] = []
    var block: [UInt8] = []
    for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      if !line.isEmpty {
        block += line + [0x0A]
      } else if !block.isEmpty {
        blocks.append(block)
        block = []
      }
    }
    if !block.isEmpty { blocks.append(block) }
    return blocks
  }

  /// Adds a checkpoint and brings it to the disk.
  package func append(_ note: SignedNote) throws {
    if !FileManager.default.fileExists(atPath: path) {
      guard
        FileManager.default.createFile(
          atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
      else { throw CocoaError(.fileWriteUnknown) }
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let end = try file.seekToEnd()
    // An entry that a crash cut short must not run into this one.
    var isClean = end == 0
    if end >= 2 {
      try file.seek(toOffset: end - 2)
      isClean = try file.read(upToCount: 2) == Data([0x0A, 0x0A])
    }
    try file.write(contentsOf: Data((isClean ? [] : [0x0A, 0x0A]) + note.bytes + [0x0A]))
    try file.synchronize()
  }
}
