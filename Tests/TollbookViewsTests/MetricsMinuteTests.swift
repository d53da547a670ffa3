import Bytes
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Counters per minute.
@Suite struct MetricsMinuteTests {
  @Test func `minutes are those of the clock, also while commit times stand still`() async throws {
    let (folder, time) = (try TemporaryFolder(), ManualTime())
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    let minute: Int64 = 60_000
    let offsets: [Int64] = [365 * 1_440, 0, 1, -3]
    for offset in offsets {
      time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: offset * minute))
      try await log.append([.spendRefused(SpendRefused())])
    }
    var minutes: [Int64] = []
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(log.tables(of: MetricsFold.fold)[1]) { (key, _) throws(LMDBError) in
        minutes.append(Int64(key.bigEndianUInt64(at: 0)))
        return .next
      }
    }
    let start = Timestamp.testStart.milliseconds / minute
    #expect(minutes == offsets.sorted().map { start + $0 })
    let view = MetricsView(log)
    for (range, count) in [(-3..<2, 3), (-3..<1, 2), (-2..<0, 0), (0..<1, 1), (2..<525_600, 0)] {
      let wanted = UInt64(start + Int64(range.lowerBound))..<UInt64(start + Int64(range.upperBound))
      let totals = try log.read { (transaction) throws(LogError) in
        try view.totals(ofMinutes: wanted, in: transaction)
      }
      #expect(totals[.refusals] == Int64(count))
    }
    #expect(try await log.rebuildViews().isEqual)
  }
}
