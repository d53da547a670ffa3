import Synchronization
import TollbookEvents

/// What has happened and was not looked at yet for whom to tell.
final class NotificationNews: Sendable {
  /// Scans of one search since they were looked at last.
  struct Scan: Sendable {
    let search: SavedSearch
    /// Listings whose price has fallen, at most ``mostCheaper``.
    var cheaper: Set<EbayItemID> = []
    /// Of the index, when the last scan had ended.
    var version: UInt64
  }

  /// Searches with scans that were not looked at: as many as there may be.
  static let mostScans = SearchBook.most
  static let mostCheaper = 2_000

  /// After so long watches are looked at though no listing has changed, in milliseconds.
  static let watchPause: Int64 = 60_000

  private let scans = Mutex<[String: Scan]>([:])
  /// Of the index, and when by the monotonic clock, at the last look at watches.
  private let watches = Mutex<(version: UInt64, at: Int64)?>(nil)
  private let alerts = Mutex<Position?>(nil)

  /// Alerts were looked at up to this position; nil: not since the start.
  var alertsUpTo: Position? { alerts.withLock(\.self) }

  func noteAlerts(upTo position: Position) { alerts.withLock { $0 = position } }

  /// Notes a scan, beside what was noted of its search before.
  func note(_ scan: Scan) {
    let place = scan.search.place
    scans.withLock { scans in
      guard scans[place] != nil || scans.count < Self.mostScans else { return }
      var noted = scans[place] ?? Scan(search: scan.search, version: scan.version)
      noted.version = max(noted.version, scan.version)
      for item in scan.cheaper where noted.cheaper.count < Self.mostCheaper {
        noted.cheaper.insert(item)
      }
      scans[place] = noted
    }
  }

  /// Whether watches are to be looked at now; if so, the look is noted.
  func takeWatches(of version: UInt64, at now: Int64) -> Bool {
    watches.withLock { last in
      if let last, last.version == version, now - last.at < Self.watchPause { return false }
      last = (version, now)
      return true
    }
  }

  /// What was noted; nothing is taken out.
  var noted: [Scan] { scans.withLock { Array($0.values) } }

  /// Takes out what an index of that version shows.
  func take(upTo version: UInt64) -> [Scan] {
    scans.withLock { scans in
      let taken = scans.filter { $0.value.version <= version }
      for place in taken.keys { scans[place] = nil }
      return taken.values.sorted { $0.search.place < $1.search.place }
    }
  }
}
