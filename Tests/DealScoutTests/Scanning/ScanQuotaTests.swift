import DealScout
import Testing
import TollbookEvents

/// How many calls are left, by what was counted and by what the provider tells.
@Suite struct ScanQuotaTests {
  private static let hour: Int64 = 3_600_000
  private static let reset = Timestamp(milliseconds: 1_795_248_000_000)

  private func before(_ hours: Int64) -> Timestamp {
    Self.reset.advanced(byMilliseconds: -hours * Self.hour)
  }

  private func quota(used: Int64 = 0, scanned: Int64 = 0) -> ScanQuota {
    ScanQuota(limit: 5_000, used: used, scanned: scanned, reset: Self.reset)
  }

  @Test func `calls are counted in the window in which they are made`() {
    var quota = quota(used: 4_990)
    quota.count(7, at: before(1))
    #expect(quota.remaining == 3)
    // The calls begin anew between two calls of one scan.
    quota.count(1, at: before(0))
    #expect(quota.remaining == 4_999)
    #expect(quota.reset == before(-24))
    #expect(quota.scanned == 1)
  }

  @Test func `what the provider tells beats the count, but for calls that it has not counted yet`()
  {
    var quota = quota()
    quota.count(100, at: before(10))
    quota.read(limit: 5_000, used: 90, reset: Self.reset, at: before(9))
    #expect(quota.used == 100)
    quota.read(limit: 6_000, used: 400, reset: Self.reset, at: before(8))
    #expect(quota.used == 400)
    #expect(quota.others == 300)
    #expect(quota.remaining == 5_600)
  }

  @Test func `a reading of the day before does not bring its calls back`() {
    var quota = quota(used: 3_000, scanned: 2_000)
    quota.count(1, at: before(-1))
    #expect(quota.used == 1)
    // Asked before midnight, told after it: the larger figure counts until the next reading.
    quota.read(limit: 5_000, used: 3_000, reset: Self.reset, at: before(-1))
    #expect(quota.used == 3_000)
    quota.read(limit: 5_000, used: 20, reset: before(-24), at: before(-2))
    #expect(quota.used == 20)
  }

  @Test func `a figure that falls means that the calls have begun anew, whatever the clock says`() {
    var quota = quota()
    quota.count(3_000, at: before(30))
    quota.read(limit: 5_000, used: 3_500, reset: Self.reset, at: before(29))
    quota.count(10, at: before(28))
    quota.read(limit: 5_000, used: 15, reset: before(-24), at: before(28))
    #expect(quota.used == 15)
    #expect(quota.scanned == 10)
  }

  @Test func `a clock that is set back a day leaves the time that is left as it was`() {
    var quota = quota()
    quota.count(1, at: before(5))
    #expect(quota.left == 5 * Self.hour)
    #expect(quota.at(before(29)).left == 5 * Self.hour)
    quota.count(1, at: before(29))
    #expect(quota.at(before(27)).left == 3 * Self.hour)
    quota.read(limit: 5_000, used: 2, reset: Self.reset, at: before(27))
    #expect(quota.left == 3 * Self.hour)
  }

  @Test func `the reserve is what people still get, and a fiftieth is left in any case`() {
    let reserve = ScanReserve.percent(10)
    #expect(reserve.held(of: quota()) == 500)
    #expect(reserve.held(of: quota(used: 300, scanned: 100)) == 300)
    #expect(reserve.held(of: quota(used: 3_000, scanned: 1_000)) == 100)
    #expect(ScanReserve.calls(900).held(of: quota()) == 900)
    #expect(ScanReserve.calls(9_000).held(of: quota()) == 5_000)
    #expect(ScanReserve.percent(0).held(of: quota()) == 0)
    #expect(ScanReserve.percent(-5) == .percent(0))
    #expect(ScanReserve.percent(500) == .percent(100))
  }

  @Test func `figures out of range break nothing`() {
    let ends = [Int64.min, -1, 0, .max]
    for limit in ends {
      for used in ends {
        for instant in ends {
          var quota = ScanQuota(
            limit: limit, used: used, scanned: used, reset: Timestamp(milliseconds: instant),
            window: limit)
          quota.count(.max, at: Timestamp(milliseconds: used))
          quota.read(
            limit: used, used: limit, reset: Timestamp(milliseconds: limit),
            at: Timestamp(milliseconds: instant))
          #expect(quota.remaining >= 0)
          #expect(quota.left >= 1_000)
        }
      }
    }
  }
}
