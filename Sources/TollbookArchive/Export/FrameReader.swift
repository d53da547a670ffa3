import Bytes
import Foundation
import SwiftProtobuf
import TollbookEvents

/// Reads the frames of an export one after the other, a portion of the file at a time.
struct FrameReader: ~Copyable {
  /// How much is read from the file at once.
  private static let portion = 1 << 20

  let path: String
  /// Bytes of the whole file, as it was when it was opened.
  let size: UInt64
  /// Bytes before the next frame.
  private(set) var offset: UInt64 = 0
  private let file: FileHandle
  private var buffer: [UInt8] = []
  /// Bytes of `buffer` that were taken.
  private var taken = 0

  /// Opens a file and reads what exports begin with.
  static func opening(_ path: String) throws(ExportProblem) -> FrameReader {
    let (file, size) = try open(path)
    var reader = FrameReader(path: path, size: size, file: file)
    try reader.takeMagic()
    return reader
  }

  private init(path: String, size: UInt64, file: FileHandle) {
    self.path = path
    self.size = size
    self.file = file
  }

  private static func open(_ path: String) throws(ExportProblem) -> (FileHandle, size: UInt64) {
    guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
      throw .unreadable(path, reason: "there is no such file")
    }
    guard attributes[.type] as? FileAttributeType != .typeDirectory else {
      throw .unreadable(path, reason: "it is a folder")
    }
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      let size = try file.seekToEnd()
      try file.seek(toOffset: 0)
      return (file, size)
    } catch { throw .unreadable(path, reason: error.reason) }
  }

  private mutating func takeMagic() throws(ExportProblem) {
    let magic = ExportFormat.magic
    try fill(to: magic.count)
    if buffer.first == UInt8(ascii: "{") { throw .jsonLines(path) }
    let beginning = buffer.prefix(magic.count)
    guard !beginning.isEmpty, beginning.elementsEqual(magic.prefix(beginning.count)) else {
      throw .notAnExport(path)
    }
    guard beginning.count == magic.count else { throw .cut(place(after: 0)) }
    take(magic.count)
  }

  func place(after position: Position) -> ExportPlace {
    ExportPlace(path: path, offset: offset, position: position)
  }

  /// Whether nothing is left.
  var isAtEnd: Bool {
    mutating get throws(ExportProblem) {
      try fill(to: 1)
      return taken == buffer.count
    }
  }

  /// The next frame, after checking it.
  ///
  /// - Parameter position: the last one that was sound, for whoever is told of a damage.
  mutating func next(
    after position: Position
  ) throws(ExportProblem) -> ExportFrame.OneOf_Content {
    let (length, digits) = try length(after: position)
    let total = digits + length + ExportFormat.checksumSize
    guard UInt64(total) <= size - offset else { throw .cut(place(after: position)) }
    try fill(to: total)
    guard buffer.count - taken >= total else { throw .cut(place(after: position)) }
    let start = taken
    let end = start + digits + length
    let content: Result<ExportFrame.OneOf_Content?, FrameFlaw> = buffer.withRawSpan { bytes in
      guard
        crc32c(bytes, in: start..<end) == bytes.bigEndianUInt32(at: end)
      else { return .failure(.checksum) }
      let message = bytes.extracting((start + digits)..<end)
      guard let frame = try? ExportFrame(serializedBytes: message) else {
        return .failure(.message)
      }
      return .success(frame.content)
    }
    switch content {
    case .success(let content?):
      take(total)
      return content
    case .success(nil):
      throw .damaged(place(after: position), "a frame of a kind that this version does not know")
    case .failure(.checksum):
      throw .damaged(place(after: position), "a frame does not match its checksum")
    case .failure(.message):
      throw .damaged(place(after: position), "a frame whose message cannot be read")
    }
  }

  private enum FrameFlaw: Error { case checksum, message }

  /// The length of the next message, and how many bytes say so.
  private mutating func length(
    after position: Position
  ) throws(ExportProblem) -> (length: Int, digits: Int) {
    try fill(to: 5)
    var length = 0
    for index in 0..<5 {
      guard taken + index < buffer.count else { throw .cut(place(after: position)) }
      let byte = buffer[taken + index]
      length |= Int(byte & 0x7f) << (7 * index)
      guard byte & 0x80 == 0 else { continue }
      guard length > 0, length <= ExportFormat.longestMessage, byte != 0 else { break }
      return (length, index + 1)
    }
    throw .damaged(place(after: position), "a frame has no possible length")
  }

  private mutating func take(_ count: Int) {
    taken += count
    offset += UInt64(count)
  }

  /// Reads until so many bytes are there, or the file ends.
  private mutating func fill(to count: Int) throws(ExportProblem) {
    guard buffer.count - taken < count else { return }
    buffer.removeFirst(taken)
    taken = 0
    do {
      while buffer.count < count {
        let wanted = max(Self.portion, count - buffer.count)
        guard let data = try file.read(upToCount: wanted), !data.isEmpty else { return }
        buffer.append(contentsOf: data)
      }
    } catch { throw .unreadable(path, reason: error.reason) }
  }
}
