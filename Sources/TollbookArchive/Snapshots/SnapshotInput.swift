import Bytes
import Files
import Foundation

/// A snapshot file while it is read: its sections in order, each checked against its checksums.
struct SnapshotInput {
  /// A section whose checksums fit.
  struct Section {
    let kind: SnapshotFormat.Section
    /// Where it begins in the file.
    let offset: UInt64
    let content: [UInt8]
  }

  let path: String
  /// Size of the file.
  let size: UInt64
  private let file: FileHandle
  /// Over the file up to the section that is read next.
  private let hash = RunningHash()
  private(set) var offset: UInt64 = 0

  /// Opens the file and reads its first line.
  init(path: String) throws(SnapshotProblem) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else {
      throw .unreadable(path, reason: "there is no such file")
    }
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType != .typeDirectory else {
      throw .unreadable(path, reason: "it is a folder")
    }
    guard let file = FileHandle(forReadingAtPath: path) else {
      let denial = FileRight.denial(of: path, .read)
      throw .unreadable(path, reason: denial ?? "it cannot be opened")
    }
    self.file = file
    do {
      size = try file.seekToEnd()
      try file.seek(toOffset: 0)
    } catch { throw .unreadable(path, reason: error.reason) }
    try readMagic()
  }

  private mutating func readMagic() throws(SnapshotProblem) {
    let beginning = SnapshotFormat.magicBeginning
    let first = try read(upTo: beginning.count)
    if first.count < beginning.count {
      let isOurs = !first.isEmpty && beginning.starts(with: first)
      throw isOurs ? .cut(path, at: size, missing: "the end of its first line") : .foreign(path)
    }
    guard first == beginning else { throw .foreign(path) }
    var line: [UInt8] = []
    while line.count < 20 {
      guard let byte = try read(upTo: 1).first else {
        throw .cut(path, at: size, missing: "the end of its first line")
      }
      if byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    guard let version = UInt64(String(decoding: line, as: UTF8.self)), version > 0,
      "\(version)".utf8.elementsEqual(line)
    else {
      throw .damaged(path, section: "its first line", at: 0, problem: "no format version is there")
    }
    guard version <= UInt64(SnapshotFormat.version) else { throw .tooNew(path, format: version) }
    hash.update(first + line + [UInt8(ascii: "\n")])
  }

  /// Throws `.cut` unless the file ends with a last section: a file that was written to a part only, or lost its end,
  /// does not. What stands before is not looked at, and what is read next stays the same.
  func checkEnd() throws(SnapshotProblem) {
    let head = SnapshotFormat.head(.end, length: SnapshotFormat.digestSize)
    let count = head.count + SnapshotFormat.digestSize + SnapshotFormat.checksumSize
    let missing = SnapshotFormat.Section.end.name
    guard size >= offset + UInt64(count) else { throw .cut(path, at: size, missing: missing) }
    let bytes: [UInt8]
    do {
      try file.seek(toOffset: size - UInt64(count))
      bytes = [UInt8](try file.read(upToCount: count) ?? Data())
      try file.seek(toOffset: offset)
    } catch { throw .unreadable(path, reason: error.reason) }
    guard bytes.starts(with: head) else { throw .cut(path, at: size, missing: missing) }
  }

  /// SHA-256 of everything before the section that was read last. To be asked for once, at the end.
  func digest() -> [UInt8] { hash.value() }

  /// The next section.
  ///
  /// - Parameter expected: what should come next, for the message if nothing does.
  mutating func next(expecting expected: String) throws(SnapshotProblem) -> Section {
    let start = offset
    let head = try read(upTo: SnapshotFormat.headSize)
    guard head.count == SnapshotFormat.headSize else {
      throw .cut(path, at: size, missing: expected)
    }
    let (length, sum) = head.withRawSpan {
      (Int($0.bigEndianUInt32(at: 1)), $0.bigEndianUInt32(at: 5))
    }
    guard crc32c(head.span, in: 0..<5) == sum, let kind = SnapshotFormat.Section(rawValue: head[0])
    else {
      throw .damaged(
        path, section: expected, at: start,
        problem: "the head of a section does not match its checksum")
    }
    // Nothing is allocated that the file does not hold.
    guard UInt64(length + SnapshotFormat.checksumSize) <= size - offset else {
      throw .cut(path, at: size, missing: "the end of \(kind.name), which begins at byte \(start)")
    }
    let content = try read(upTo: length)
    let checksum = try read(upTo: SnapshotFormat.checksumSize)
    guard content.count == length, checksum.count == SnapshotFormat.checksumSize else {
      throw .unreadable(path, reason: "it became shorter while it was read")
    }
    guard checksum.withRawSpan({ $0.bigEndianUInt32(at: 0) }) == crc32c(content.span) else {
      throw .damaged(
        path, section: kind.name, at: start,
        problem: "\(length) bytes do not match their checksum")
    }
    if kind != .end { hash.update(head + content + checksum) }
    return Section(kind: kind, offset: start, content: content)
  }

  private mutating func read(upTo count: Int) throws(SnapshotProblem) -> [UInt8] {
    var bytes: [UInt8] = []
    do {
      while bytes.count < count {
        guard let data = try file.read(upToCount: count - bytes.count), !data.isEmpty else { break }
        if bytes.isEmpty { bytes = [UInt8](data) } else { bytes += data }
      }
    } catch { throw .unreadable(path, reason: error.reason) }
    offset += UInt64(bytes.count)
    return bytes
  }
}

extension SnapshotFormat.Section {
  /// As it is called in messages.
  var name: String {
    switch self {
    case .manifest: "the manifest"
    case .rows: "rows"
    case .bodies: "bodies"
    case .end: "its last section"
    }
  }
}
