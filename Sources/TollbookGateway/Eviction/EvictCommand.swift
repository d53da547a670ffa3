import Foundation
import TollbookEvents
import TollbookLog
import TollbookViews

/// Remove entries to make room, and at once the bodies that no other entry names.
///
/// In the event they are told from those whose time is over by when they were to be kept until: that is still to come.
struct EvictCommand: Sendable {
  /// The most entries in one decision.
  static let batch = 250

  /// An entry as it was when somebody looked at it.
  struct Victim: Hashable, Sendable {
    var resource: ResourceKey
    var contentSet: UInt64
    var written: Position
    var reads: UInt64
    var lastRead: Timestamp?
    var digest: [UInt8]
    /// What its body takes of the data file; of one that several entries name its share.
    var space: Double

    init(_ entry: CacheEntry, space: Double) {
      resource = entry.resource
      contentSet = entry.contentSet
      written = entry.written
      reads = entry.hits
      lastRead = entry.lastRead
      digest = entry.digest
      self.space = space
    }

    /// Whether an entry is that one, and nobody has read it since.
    fileprivate func isStill(_ entry: CacheEntry) -> Bool {
      entry.contentSet == contentSet && entry.written == written && entry.hits == reads
        && entry.lastRead == lastRead
    }
  }

  struct Answer: Hashable, Sendable {
    /// The positions that had written the entries that go.
    var entries: [Position] = []
    var bodies = 0
    /// What the bodies took of the data file that go with them.
    var space = 0
  }

  /// At most ``batch``, each once.
  var victims: [Victim]

  func decide(
    _ cache: CacheView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Answer> {
    var answer = Answer()
    var swept = EntriesSwept()
    var pruned = BodiesPruned()
    var digests: [[UInt8]] = []
    // How many of the entries that name a body go.
    var going: [[UInt8]: Int] = [:]
    for victim in victims {
      let entries = try cache.all(of: victim.resource, in: state)
      // What was written or read meanwhile is another question.
      guard let entry = entries.first(where: victim.isStill) else { continue }
      var row = SweptEntry()
      row.resource = entry.resource.description
      row.contentSet = entry.contentSet
      row.written = entry.written
      row.untilMs = entry.keepUntil.milliseconds
      row.evicted = true
      swept.entries.append(row)
      answer.entries.append(entry.written)
      guard !entry.digest.isEmpty else { continue }
      let count = going[entry.digest, default: 0] + 1
      going[entry.digest] = count
      guard try cache.references(to: entry.digest, in: state) == count else { continue }
      digests.append(entry.digest)
      pruned.bodies.append(Data(entry.digest))
      // One that was not restored takes nothing.
      guard let size = try reader.storedBytes(ofBody: entry.digest, in: state) else { continue }
      pruned.storedBytes += UInt64(size)
      answer.space += Body.space(ofRow: size)
    }
    guard !swept.entries.isEmpty else { return Decision(answer: answer) }
    answer.bodies = digests.count
    // First the entries: a body that is named is not removed.
    let events: [Event] = [.entriesSwept(swept)] + (digests.isEmpty ? [] : [.bodiesPruned(pruned)])
    return Decision(events: events, prunedBodies: digests, answer: answer)
  }
}
