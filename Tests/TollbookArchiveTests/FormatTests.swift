import Testing
import TollbookEvents
import TollbookLog
import TollbookViews

/// What a format of a data directory is: the events that may be in it, and the views.
///
/// An older Tollbook refuses a directory of a newer format by its name. That holds only if every event or row that it could
/// not read has come with a new number, so that what was released is written down here.
@Suite struct FormatTests {
  private struct Format {
    let number: Int
    let events: Set<UInt8>
    let views: [String]
  }

  /// Never changed for a format that was released.
  private static let formats: [Format] = [
    Format(
      number: 1,
      events: [
        1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 33, 34, 35, 36, 37, 38, 50, 51, 65, 66, 67, 68,
      ],
      views: ["cache@2", "ledger@2", "metrics@1"]),
    Format(
      number: 2,
      events: [
        1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 23, 33, 34, 35, 36, 37, 38, 39, 50, 51, 65, 66, 67, 68,
      ],
      views: ["cache@3", "ledger@3", "metrics@2", "rollups@1"]),
    Format(
      number: 3,
      events: [
        1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 23, 33, 34, 35, 36, 37, 38, 39, 50, 51, 65, 66, 67, 68,
        69, 70, 71, 72,
      ],
      views: ["cache@3", "ledger@3", "metrics@2", "rollups@1", "jobs@1"]),
    // Bodies may be stored in pieces.
    Format(
      number: 4,
      events: [
        1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 23, 33, 34, 35, 36, 37, 38, 39, 50, 51, 65, 66, 67, 68,
        69, 70, 71, 72,
      ],
      views: ["cache@3", "ledger@3", "metrics@2", "rollups@1", "jobs@1"]),
    // Hours and minutes are those of the clock.
    Format(
      number: 5,
      events: [
        1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 23, 33, 34, 35, 36, 37, 38, 39, 50, 51, 52, 53, 54, 55,
        56, 57, 58, 59, 60, 61, 62, 63, 65, 66, 67, 68, 69, 70, 71, 72,
      ],
      views: [
        "cache@3", "ledger@3", "metrics@3", "rollups@2", "jobs@1", "accounts@1", "alerts@1",
      ]),
    Format(
      number: 6,
      events: [
        1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 23, 33, 34, 35, 36, 37, 38, 39, 40, 41, 50, 51, 52, 53,
        54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 65, 66, 67, 68, 69, 70, 71, 72, 80, 81, 82, 83, 90,
        91, 92,
      ],
      views: [
        "cache@3", "ledger@3", "metrics@3", "rollups@2", "jobs@1", "accounts@1", "alerts@1",
        "credentials@1", "requests@1",
      ]),
  ]

  @Test func `the events and views of this version are those of its format`() throws {
    #expect(Self.formats.map(\.number) == Array(1...DataDirectory.format))
    let newest = try #require(Self.formats.last)
    // A new kind of event, or a new version of a view: a new format.
    #expect(Set(EventKind.allCases.map(\.rawValue)) == newest.events)
    #expect(allFolds.map(\.id) == newest.views)
  }

  @Test func `a format reads all events of those before it, and goes on from their views`() {
    for (older, newer) in zip(Self.formats, Self.formats.dropFirst()) {
      #expect(older.events.isSubset(of: newer.events))
    }
    for format in Self.formats {
      for fold in allFolds {
        #expect(
          fold.sources.contains { format.views.contains($0.id) }
            || fold.sinceFormat > format.number,
          "\(fold.id) cannot go on from format \(format.number)")
      }
      for view in format.views {
        #expect(allFolds.contains { $0.source(view) != nil }, "\(view) is lost")
      }
    }
  }
}
