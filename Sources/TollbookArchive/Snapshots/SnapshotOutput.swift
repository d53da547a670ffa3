import Bytes
import Crypto
import Dispatch
import Files
import Foundation
import Synchronization

/// A snapshot file while it is written, section by section.
struct SnapshotOutput {
  private let path: String
  private let file: FileHandle
  private let hash = RunningHash()
  /// Bytes written so far.
  private(set) var bytes: UInt64 = 0

  /// Makes the file, which nobody else may read, in place of one that a former process left there.
  init(path: String) throws(SnapshotProblem) {
    let isMade = FileManager.default.createFile(
      atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    guard isMade, let file = FileHandle(forWritingAtPath: path) else {
      let denial = FileRight.denial(of: DurableNames.parent(of: path), [.enter, .write])
      throw .unwritable(path, reason: denial ?? "the file cannot be made")
    }
    self.path = path
    self.file = file
    try write(SnapshotFormat.magic)
  }

  mutating func write(
    _ section: SnapshotFormat.Section, _ content: [UInt8]
  ) throws(SnapshotProblem) {
    guard content.count <= Int(UInt32.max) else {
      throw .unwritable(path, reason: "a section of \(content.count) bytes is too large")
    }
    try write(SnapshotFormat.head(section, length: content.count))
    try write(content)
    var checksum: [UInt8] = []
    checksum.append(bigEndian: crc32c(content.span))
    try write(checksum)
  }

  /// Writes the last section and brings everything to the disk.
  ///
  /// - Returns: SHA-256 of the file before its last section.
  mutating func finish() throws(SnapshotProblem) -> [UInt8] {
    let digest = hash.value()
    try write(.end, digest)
    do {
      try file.synchronize()
      try file.close()
    } catch { throw .unwritable(path, reason: error.reason) }
    return digest
  }

  private mutating func write(_ content: [UInt8]) throws(SnapshotProblem) {
    hash.update(content)
    do { try file.write(contentsOf: content) } catch {
      throw .unwritable(path, reason: error.reason)
    }
    bytes += UInt64(content.count)
  }
}

/// SHA-256 of what is given to it, taken on another thread while the same bytes are written.
final class RunningHash: Sendable {
  private let hasher = Mutex(SHA256())
  private let queue = DispatchQueue(label: "tollbook.snapshot.hash")
  /// Pieces that may wait, so that memory stays bounded.
  private let room = DispatchSemaphore(value: 4)

  func update(_ bytes: [UInt8]) {
    room.wait()
    queue.async { [self] in
      hasher.withLock { $0.update(data: bytes) }
      room.signal()
    }
  }

  /// The hash of all that was given until now.
  func value() -> [UInt8] {
    queue.sync { hasher.withLock { Array($0.finalize()) } }
  }
}

extension Error {
  /// What the system says is wrong, of an error that Foundation throws.
  var reason: String {
    let cocoa = self as NSError
    let underlying = cocoa.userInfo[NSUnderlyingErrorKey] as? NSError
    return (underlying ?? cocoa).localizedDescription
  }
}
