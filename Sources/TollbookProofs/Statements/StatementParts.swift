import Crypto
import JSONText
import TollbookEvents
package import TollbookLog

/// A record with the path by which it proves to be in a statement's tree.
struct ProvenRecord: Sendable {
  let position: Position
  let record: [UInt8]
  let path: [TreeHash]

  func isIn(_ checkpoint: Checkpoint) -> Bool {
    position > 0
      && MerkleProof.verifyInclusion(
        leaf: MerkleTree.leafHash(record), index: position - 1, size: checkpoint.size, path: path,
        root: checkpoint.root)
  }

  fileprivate func writeProof(to json: inout JSONWriter) {
    json.field("record", record.base64)
    json.field("path", path.base64)
  }

  /// As the first or the last event of a period.
  func edgeJSON(_ event: RecordedEvent) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("position", position)
      json.field("time", event.time.description)
      json.field("kind", event.event.kind.name)
      writeProof(to: &json)
    }
    return json.bytes
  }
}

/// A line of a statement: an event that moves spend, what it moves, and the proof that it is in the tree.
///
/// All that it shows follows from its records: whoever checks makes the line again and compares.
struct StatementLine: Sendable {
  let source: ProvenRecord
  let event: RecordedEvent
  /// The start of the fetch that a doubt is about, where the event itself does not tell whose the doubt is.
  let started: ProvenRecord?
  let moves: [SpendMove]

  /// - Parameter account: whose moves are wanted; nil: everybody's.
  init(
    _ source: ProvenRecord, _ event: RecordedEvent, started: (ProvenRecord, FetchStarted)?,
    account: String?
  ) {
    self.source = source
    self.event = event
    self.started = started?.0
    let wanted = account.map { Array($0.utf8) }
    moves = SpendMove.moves(of: event, started: started?.1)
      .filter { move in wanted.map { $0 == Array(move.account.utf8) } ?? true }
  }

  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("position", source.position)
      json.field("time", event.time.description)
      json.field("kind", event.event.kind.name)
      json.array("moves", moves) { json, move in move.write(to: &json) }
      source.writeProof(to: &json)
      guard let started else { return }
      json.object("started") { json in
        json.field("position", started.position)
        started.writeProof(to: &json)
      }
    }
    return json.bytes
  }
}

/// A size at which the tree was known before, with the path that proves that it only grew since.
package struct GrownFrom: Hashable, Sendable {
  package let size: UInt64
  package let root: TreeHash
  package let path: [TreeHash]

  func proves(_ checkpoint: Checkpoint) -> Bool {
    size > 0
      && MerkleProof.verifyConsistency(
        oldSize: size, oldRoot: root, newSize: checkpoint.size, newRoot: checkpoint.root,
        path: path)
  }

  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("size", size)
      json.field("root", root.base64)
      json.field("path", path.base64)
    }
    return json.bytes
  }
}

/// How much of its period a statement shows.
package enum StatementCoverage: String, Sendable {
  /// The lines: that none is missing cannot be seen.
  case lines
  /// Every event of the period.
  case everyEvent = "every_event"
}

/// What the files of statements have in common.
package enum StatementFormat {
  /// The version that is written. In version 1 all meters were those of credentials.
  package static let version = 2
  /// The versions that are checked: version 1 says what version 2 would say of the same events.
  package static let knownVersions = 1...2
  /// Where the sealed part of the file ends.
  static let sealMark = Array(",\n  \"seal\": ".utf8)

  /// The text of the note that seals a file: the digest of all before it. Two lines, so that it is no checkpoint.
  static func sealText(_ digest: [UInt8]) -> [UInt8] {
    Array("tollbook statement\n\(digest.base64)\n".utf8)
  }

  /// The text of the note that seals a file with that content before it.
  package static func sealed(_ content: [UInt8]) -> [UInt8] {
    sealText(Array(SHA256.hash(data: content)))
  }
}

extension [TreeHash] {
  /// The hashes one behind the other.
  var base64: String { [UInt8](joined()).base64 }

  init?(base64 text: String) {
    guard let bytes = [UInt8](base64: text), bytes.count.isMultiple(of: 32) else { return nil }
    self = stride(from: 0, to: bytes.count, by: 32).map { TreeHash(bytes[$0..<($0 + 32)]) }
  }
}
