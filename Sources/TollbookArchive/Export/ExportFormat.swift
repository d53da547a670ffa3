import Bytes
import Foundation
import SwiftProtobuf
package import TollbookEvents
package import TollbookLog

/// The log as a file: what it consists of, and its bytes.
///
/// ```
/// tollbook-export⏎                        16 bytes
/// frame: opening                          mode, first position, the tree's edge before it, with bodies or without
/// frame: body …                           before the first commit that names it
/// frame: commit                           one for each sealed commit, its records as they are stored
/// …
/// frame: end                              last position, root, how many of each; nothing follows
/// ```
///
/// A frame is a length as a varint, so many bytes of a protobuf message (`export.proto`), and the CRC-32C of length and
/// message (4 bytes, big-endian), so that a damage is known by its place. Whether the records are those that were sealed is
/// known by the root of every commit, from the edge that the opening gives.
package enum ExportFormat {
  /// The newest format that this version reads, and the one that it writes.
  package static let version = 1
  /// What a file begins with.
  static let magic = Array("tollbook-export\n".utf8)
  /// Longer messages are not written: a commit holds less, and a length is to be believed only so far.
  static let longestMessage = 1 << 31
  static let checksumSize = 4

  /// The bytes of a frame.
  package static func frame(_ content: ExportFrame.OneOf_Content) -> [UInt8] {
    var frame = ExportFrame()
    frame.content = content
    // Encoding fails only for missing required fields, which proto3 does not have.
    let message: [UInt8] = (try? frame.serializedBytes()) ?? []
    var bytes: [UInt8] = []
    bytes.reserveCapacity(message.count + 9)
    var length = message.count
    while length >= 0x80 {
      bytes.append(UInt8(length & 0x7f) | 0x80)
      length >>= 7
    }
    bytes.append(UInt8(length))
    bytes += message
    bytes.append(bigEndian: crc32c(bytes.span))
    return bytes
  }

  /// What an export begins with.
  package static func opening(_ header: ExportHeader) -> [UInt8] {
    var opening = ExportOpening()
    opening.format = UInt32(version)
    opening.mode = header.mode.rawValue
    opening.first = header.first
    opening.subtrees = header.frontier.completeSubtrees.map { Data($0) }
    if header.first > 1 { opening.timeMs = header.time.milliseconds }
    opening.bodies = header.hasBodies
    return magic + frame(.opening(opening))
  }

  package static func body(digest: [UInt8], row: [UInt8]) -> [UInt8] {
    var body = ExportedBody()
    body.digest = Data(digest)
    body.row = Data(row)
    return frame(.body(body))
  }

  /// A commit without its bodies, which stand before it.
  package static func commit(_ row: CommitRow, records: [[UInt8]]) -> [UInt8] {
    var commit = ExportedCommit()
    commit.first = row.first
    commit.last = row.last
    commit.wallMs = row.wall.milliseconds
    commit.timeMs = row.time.milliseconds
    commit.root = Data(row.root)
    commit.records = records.map { Data($0) }
    return frame(.commit(commit))
  }

  package static func end(_ totals: ExportTotals) -> [UInt8] {
    var end = ExportEnd()
    end.last = totals.last
    end.root = Data(totals.root)
    end.commits = totals.commits
    end.events = totals.events
    end.bodies = totals.bodies
    return frame(.end(end))
  }
}

/// What an export says of itself before its first commit.
package struct ExportHeader: Hashable, Sendable {
  package var mode: LogMode
  /// The position of the first event.
  package var first: Position
  /// The tree's right edge over all records before it.
  package var frontier: MerkleFrontier
  /// Time of the commit before the first one, or the least there is.
  package var time: Timestamp
  /// Whether bodies come with the events that name them. Those that were pruned do not.
  package var hasBodies: Bool

  package init(
    mode: LogMode, first: Position = 1, frontier: MerkleFrontier = MerkleFrontier(),
    time: Timestamp = Timestamp(milliseconds: .min), hasBodies: Bool
  ) {
    self.mode = mode
    self.first = first
    self.frontier = frontier
    self.time = time
    self.hasBodies = hasBodies
  }
}

/// How far an export goes, and how much is in it.
package struct ExportTotals: Hashable, Sendable {
  /// The last position; the one before the first if there is none.
  package var last: Position
  /// The root of the tree at that position.
  package var root: TreeHash
  package var commits: UInt64 = 0
  package var events: UInt64 = 0
  /// Bodies, one that came twice counted twice.
  package var bodies: UInt64 = 0

  package init(last: Position, root: TreeHash) {
    self.last = last
    self.root = root
  }

  /// Of an export that has only begun.
  package init(_ header: ExportHeader) {
    self.init(last: header.first - 1, root: header.frontier.root)
  }

  /// Counts a commit with the bodies before it.
  package mutating func add(_ row: CommitRow, bodies: Int) {
    last = row.last
    root = row.root
    commits += 1
    events += row.last - row.first + 1
    self.bodies += UInt64(bodies)
  }
}
