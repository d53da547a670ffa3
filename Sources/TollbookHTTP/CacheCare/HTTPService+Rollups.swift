import TollbookEvents
import TollbookLog
import TollbookViews

extension HTTPService {
  /// Rows after which a reading of rollups ends with the hour that it is in.
  private static let portion = 5_000

  /// Shows the rows of some hours, in portions that each read at one moment of their own.
  ///
  /// - Parameter hours: since 1970.
  func scanRollups(
    _ hours: Range<UInt64>, _ body: (RollupKey, RollupRow) -> Void
  ) async throws {
    let rollups = RollupView(log)
    var next = hours.lowerBound
    while next < hours.upperBound {
      let start = next
      next = try log.read { (transaction) throws(LogError) in
        var following = hours.upperBound
        var rows = 0
        var last = start
        try rollups.scan(start..<hours.upperBound, in: transaction) { (key, row) throws(LogError) in
          if rows >= Self.portion, key.hour > last {
            following = key.hour
            return .stop
          }
          rows += 1
          last = key.hour
          body(key, row)
          return .next
        }
        return following
      }
      await Task.yield()
    }
  }
}
