import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway
@testable import TollbookViews

private let mustReach = ["refreshed", "failed", "refused", "used", "wasted", "nothing left"]
private let reached = Reached()

/// Readers, an exchange and what refreshes ahead of them, in time that a test moves.
@Suite(Reaching(title: "Refreshing ahead", names: mustReach, reached: reached))
struct HotKeysLawTests {
  private struct World {
    let upstream = HotUpstream()
    let resources: [ResourceKey]
    let windows: [Int64]
    let allowance: AheadAllowance
    var random: SeededGenerator
    var now = Timestamp.testStart
    var keys = HotKeys()
    var budget = AheadBudget()
    let reads = AheadReads()
    /// What the cache holds, and how often that was read.
    var entries: [ResourceKey: (entry: CacheEntry, reads: Int)] = [:]
    /// Calls on their way, and what each brings.
    var out: [(ends: Timestamp, resources: [ResourceKey])] = []
    /// Of those, what somebody waits for meanwhile.
    var joined: Set<ResourceKey> = []
    /// What the exchange counted, by its minutes.
    var minutes: [Int64: Int64] = [:]
    var head: Position = 0
    /// By their positions: what was bought ahead and not read yet.
    var unread: Set<Position> = []
    var bought: UInt64 = 0
    var used: UInt64 = 0

    init(seed: UInt64) {
      random = SeededGenerator(seed: seed)
      var windows: [Int64] = []
      var resources: [ResourceKey] = []
      for number in 0..<random.int(3...30) {
        resources.append(HotUpstream.resource(number, weight: random.int64(1...4)))
        windows.append(random.pick([1_000, 2_000, 5_000, 10_000]))
      }
      (self.resources, self.windows) = (resources, windows)
      allowance = AheadAllowance(
        perWindow: random.pick([0, 5, 40, 400]), reserve: random.pick([0, 500]))
      now = now.advanced(byMilliseconds: random.int64(0...120_000))
    }

    mutating func fetch(_ resource: ResourceKey) -> CacheEntry {
      head += 1
      let place = resources.firstIndex(of: resource) ?? 0
      let entry = CacheEntry.hot(resource, written: head, fetched: now, fresh: windows[place])
      entries[resource] = (entry, 0)
      return entry
    }

    /// Somebody wants it. The first of them are wanted far more often.
    mutating func ask() {
      let place = random.int(0...random.int(0...resources.count - 1))
      let resource = resources[place]
      guard let found = entries[resource], now < found.entry.freshUntil else {
        if out.contains(where: { $0.resources.contains(resource) }) {
          joined.insert(resource)
        } else {
          _ = fetch(resource)
        }
        return
      }
      entries[resource]?.reads += 1
      keys.read(found.entry, at: now)
      reads.read(found.entry.written)
      if unread.remove(found.entry.written) != nil { used += 1 }
    }

    mutating func land() {
      for call in out where call.ends <= now {
        var written: [Position: Timestamp] = [:]
        reads.begin(after: head)
        for resource in call.resources {
          let entry = fetch(resource)
          written[entry.written] = entry.freshUntil
          bought += 1
          guard joined.remove(resource) != nil else {
            unread.insert(entry.written)
            continue
          }
          entries[resource]?.reads += 1
          keys.read(entry, at: now)
          reads.read(entry.written)
          used += 1
        }
        reads.bought(written)
      }
      out.removeAll { $0.ends <= now }
    }

    /// - Returns: what was wrong.
    mutating func tick() -> [String] {
      guard keys.mayBeDue(at: now) else { return [] }
      let left = budget.left(of: allowance, upstream.rule, at: now)
      let spendable = min(left, random.int64(0...1_000) - allowance.reserve)
      if left == 0 { reached.count("nothing left") }
      guard spendable > 0 else { return [] }
      let due = keys.due(at: now)
      let (plans, lasting) = AheadPlan.calls(
        for: due, of: upstream, on: HotUpstream.meter, spendable: spendable,
        mostCalls: random.int(1...3), at: now)
      keys.take(lasting)
      let taken = Set(plans.flatMap(\.needs).compactMap(\.resource))
      keys.take(due.map(\.key).filter { taken.contains($0.resource) })
      var complaints: [String] = []
      if plans.reduce(0, { $0 + $1.cost }) > spendable { complaints.append("too much at once") }
      for plan in plans {
        let resources = plan.needs.compactMap(\.resource)
        for resource in resources {
          guard let found = entries[resource], now < found.entry.freshUntil else {
            complaints.append("\(resource) was not fresh any more")
            continue
          }
          if found.reads == 0 { complaints.append("\(resource) was not read") }
          if found.entry.freshUntil.milliseconds - now.milliseconds > 600 {
            complaints.append("\(resource) had its time before it")
          }
          if out.contains(where: { $0.resources.contains(resource) }) {
            complaints.append("\(resource) is on its way")
          }
        }
        budget.spend(plan.cost, upstream.rule, at: now)
        send(plan, resources)
      }
      return complaints
    }

    private mutating func send(_ plan: AheadPlan, _ resources: [ResourceKey]) {
      guard random.chance(85) else {
        reached.count("refused")
        return budget.giveBack(plan.cost, at: now)
      }
      // The exchange counts it a little later, by a clock that is ahead or behind.
      let counted = now.milliseconds + random.int64(-2_000...2_000 + AheadBudget.longestWait)
      minutes[counted / 60_000, default: 0] += resources.reduce(0) { $0 + HotUpstream.weight($1) }
      guard random.chance(90) else { return reached.count("failed") }
      reached.count("refreshed", resources.count)
      out.append((now.advanced(byMilliseconds: random.int64(20...400)), resources))
    }
  }

  @Test(arguments: Seeds.all.prefix(60))
  func `Law: only what is read is refreshed, within each minute's budget, and used or wasted`(
    seed: UInt64
  ) {
    var world = World(seed: seed)
    for _ in 0..<4_000 {
      world.now = world.now.advanced(byMilliseconds: world.random.int64(10...120))
      world.land()
      for _ in 0..<world.random.int(0...4) { world.ask() }
      for complaint in world.tick() { Issue.record("seed \(seed): \(complaint)") }
    }
    #expect(world.minutes.values.allSatisfy { $0 <= world.allowance.perWindow }, "seed \(seed)")
    let end = world.now.advanced(byMilliseconds: 20_000)
    let counts = world.reads.counts(at: end)
    #expect(counts.bought == world.bought, "seed \(seed)")
    #expect(counts.used == world.used, "seed \(seed)")
    #expect(counts.used + counts.wasted == counts.bought, "seed \(seed)")
    reached.count("used", Int(counts.used))
    reached.count("wasted", Int(counts.wasted))
  }
}
