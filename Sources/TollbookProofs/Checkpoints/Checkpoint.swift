package import TollbookLog

/// A log's tree at one size, in the format of C2SP tlog-checkpoint: as the text of a signed note it is what a log
/// publishes.
package struct Checkpoint: Hashable, Sendable {
  /// Which log.
  package let origin: String
  /// Leaves of the tree.
  package let size: UInt64
  package let root: TreeHash

  package init(origin: String, size: UInt64, root: TreeHash) {
    self.origin = origin
    self.size = size
    self.root = root
  }

  /// Reads the text of a note; nil if it is no checkpoint. Further lines are allowed and mean nothing.
  package init?(text: [UInt8]) {
    guard text.last == UInt8(ascii: "\n") else { return nil }
    let lines = text.dropLast()
      .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard lines.count >= 3, lines.allSatisfy({ !$0.isEmpty }), let size = UInt64(lines[1]),
      "\(size)" == lines[1], let root = TreeHash(base64: lines[2]), root.count == 32
    else { return nil }
    self.init(origin: lines[0], size: size, root: root)
  }

  package var text: [UInt8] { Array("\(origin)\n\(size)\n\(root.base64)\n".utf8) }
}
