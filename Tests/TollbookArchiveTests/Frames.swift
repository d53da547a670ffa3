import Foundation
import SwiftProtobuf
import TollbookEvents

/// The frames of an export, to be put together in other ways.
struct Frames {
  var opening: [UInt8]
  var rest: [[UInt8]]

  init(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var start = 16
    var frames: [[UInt8]] = []
    while start < bytes.count {
      var digits = 0
      var length = 0
      while true {
        let byte = Int(bytes[start + digits])
        length |= (byte & 0x7f) << (7 * digits)
        digits += 1
        if byte & 0x80 == 0 { break }
      }
      let end = start + digits + length + 4
      frames.append(Array(bytes[start..<end]))
      start = end
    }
    opening = Array(bytes[..<16]) + frames[0]
    rest = Array(frames[1...])
  }

  /// What one of them holds.
  func content(_ index: Int) throws -> ExportFrame.OneOf_Content? {
    let frame = rest[index]
    let digits = (frame.firstIndex { $0 & 0x80 == 0 } ?? 0) + 1
    return try ExportFrame(serializedBytes: Array(frame[digits..<(frame.count - 4)])).content
  }

  /// The places of commits.
  func commits() throws -> [Int] {
    try rest.indices.filter { if case .commit = try content($0) { true } else { false } }
  }

  func write(to path: String) throws {
    try Data(opening + rest.flatMap { $0 }).write(to: URL(fileURLWithPath: path))
  }
}
