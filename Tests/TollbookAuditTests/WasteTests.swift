import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookAudit

/// One story for each class of waste, and for each line between two of them.
@Suite struct WasteTests {
  @Test func `what somebody waited for is served`() throws {
    var story = AuditStory()
    story.buy("A")
    #expect(try story.waste() == [.served: 1])
    story.wait(seconds: 999_999)
    story.read("B", fresh: 1)
    #expect(try story.waste() == [.served: 1], "and stays so, however it went on")
  }

  @Test func `a refresh behind is live while it is fresh, used once it is read, else never read`()
    throws
  {
    var story = AuditStory()
    story.buy("A", behind: true, freshSeconds: 60)
    #expect(try story.waste() == [.live: 1])
    var used = story
    used.wait(seconds: 30)
    used.read("A", fresh: 1)
    #expect(try used.waste() == [.refreshed: 1])
    used.wait(seconds: 600)
    used.buy("A", body: 2)
    #expect(try used.waste() == [.refreshed: 1, .served: 1])
    story.wait(seconds: 61)
    story.read("Z", fresh: 1)
    #expect(try story.waste() == [.neverRead: 1])
    story.read("A", stale: 5)
    #expect(try story.waste() == [.neverRead: 1], "stale reads come too late")
    story.read("A", joined: 1)
    #expect(try story.waste() == [.refreshed: 1])
  }

  @Test
  func `a refresh that is replaced, evicted or purged before anybody reads it was for nothing`()
    throws
  {
    var replaced = AuditStory()
    replaced.buy("A", behind: true)
    replaced.wait(seconds: 10)
    replaced.buy("A", body: 2, maximumAge: 1)
    #expect(try replaced.waste() == [.neverRead: 1, .served: 1])
    replaced.read("A", fresh: 1, secondsAgo: 5)
    #expect(try replaced.waste() == [.refreshed: 1, .served: 1], "a read told late was its")
    for isHard in [true, false] {
      var purged = AuditStory()
      let written = purged.buy("A", behind: true)
      purged.wait(seconds: 10)
      purged.purge("A", written: written, hard: isHard)
      #expect(try purged.waste() == [.neverRead: 1])
    }
    var evicted = AuditStory()
    let written = evicted.buy("A", behind: true)
    evicted.evict("A", written: written)
    evicted.read("A", fresh: 1)
    #expect(try evicted.waste() == [.neverRead: 1])
  }

  @Test func `the same body again is unchanged, whoever asked`() throws {
    for isBehind in [true, false] {
      var story = AuditStory()
      story.buy("A", freshSeconds: 60)
      story.wait(seconds: 61)
      story.buy("A", behind: isBehind)
      story.read("A", fresh: 3)
      #expect(try story.waste() == [.served: 1, .unchanged: 1])
    }
    var absent = AuditStory()
    absent.buy("A", body: 0, freshSeconds: 60)
    absent.wait(seconds: 61)
    absent.buy("A", body: 0)
    #expect(try absent.waste() == [.served: 1, .unchanged: 1])
    var evicted = AuditStory()
    let written = evicted.buy("A", freshSeconds: 60)
    evicted.wait(seconds: 61)
    evicted.evict("A", written: written)
    evicted.buy("A")
    #expect(try evicted.waste() == [.served: 2], "nothing was there any more")
  }

  @Test func `buying what was fresh is a duplicate, unless the reader wanted it fresher`() throws {
    var story = AuditStory()
    story.buy("A")
    story.wait(seconds: 60)
    story.buy("A", body: 2)
    #expect(try story.waste() == [.served: 1, .duplicate: 1])
    story.wait(seconds: 60)
    story.buy("A", body: 3, maximumAge: 30)
    #expect(try story.waste() == [.served: 2, .duplicate: 1])
    story.wait(seconds: 20)
    story.buy("A", body: 4, maximumAge: 30)
    #expect(try story.waste() == [.served: 2, .duplicate: 2])
  }

  @Test func `buying what a call under way brings is a duplicate, a richer call is none`() throws {
    var story = AuditStory()
    let first = story.start(["A"], contentSet: 1)
    let poorer = story.start(["A"], contentSet: 0)
    let richer = story.start(["A"], contentSet: 3)
    for (fetch, contentSet) in [(first, 1), (poorer, 0), (richer, 3)] as [(Position, UInt64)] {
      story.succeed(fetch)
      story.write("A", of: fetch, body: UInt8(contentSet) + 1, contentSet: contentSet)
      story.charge(fetch, [("A", 1)])
    }
    #expect(try story.waste() == [.served: 2, .duplicate: 1])
    let again = story.start(["A"], contentSet: 3)
    story.fail(again)
    story.release(again, 1)
    story.wait(seconds: 9_999)
    story.buy("A", body: 9)
    #expect(try story.waste() == [.served: 3, .duplicate: 1], "a call that failed brings nothing")
  }

  @Test func `what is charged for an attempt without an answer has failed`() throws {
    var story = AuditStory()
    let fetch = story.start(["A", "B"])
    story.charge(fetch, [("A", 1), ("B", 1)])
    story.fail(fetch, next: 2)
    story.succeed(fetch, attempt: 2)
    story.write("A", of: fetch)
    story.charge(fetch, attempt: 2, [("A", 1), ("B", 1)])
    // B was not in the answer.
    #expect(try story.waste() == [.failed: 3, .served: 1])
  }

  @Test func `a charge without shares is divided evenly over the resources of its call`() throws {
    var story = AuditStory()
    story.buy("A")
    let fetch = story.start(["A", "B", "C"])
    story.succeed(fetch)
    for name in ["A", "B", "C"] { story.write(name, of: fetch, body: 7) }
    story.charge(fetch, [], tokens: 5)
    #expect(try story.waste() == [.served: 1 + 3, .duplicate: 2])
    #expect(try story.fold().waste(of: "tokens").total == 6)
  }

  @Test func `doubts are in doubt, then unprovable, then charged like the rest`() throws {
    var story = AuditStory()
    let fetch = story.start(["A"])
    story.doubt(fetch, 5)
    story.fail(fetch)
    #expect(try story.waste() == [.inDoubt: 5])
    let open = story.head
    story.resolve(fetch, 5, settled: 0, unprovable: 5)
    #expect(try story.waste() == [.unprovable: 5])
    story.resolve(fetch, 5, settled: 2, unprovable: 1, was: true)
    #expect(try story.waste() == [.unprovable: 1, .failed: 2])
    #expect(try story.waste(after: open) == [.inDoubt: -5, .unprovable: 1, .failed: 2])
  }

  @Test func `a doubt of a call that was answered is judged by what it brought`() throws {
    var story = AuditStory()
    story.buy("A")
    story.wait(seconds: 4_000)
    let fetch = story.start(["A", "B", "C"], behind: true)
    story.succeed(fetch)
    story.write("A", of: fetch)
    story.write("B", of: fetch)
    story.write("C", of: fetch)
    story.doubt(fetch, 6)
    story.read("B", fresh: 1)
    story.wait(seconds: 8_000)
    story.buy("B", body: 2)
    story.buy("B", body: 3, maximumAge: 0)
    story.resolve(fetch, 6, settled: 6)
    // A came back the same; B was read and is gone; C was never read and is stale.
    #expect(
      try story.waste() == [
        .served: 3 - 1, .duplicate: 1, .unchanged: 2, .refreshed: 2, .neverRead: 2,
      ]
    )
  }

  @Test func `evenly leaves nothing over`() {
    #expect(evenly(7, over: 3) == [3, 2, 2])
    #expect(evenly(-7, over: 3) == [-3, -2, -2])
    #expect(evenly(.min, over: 2).reduce(0, +) == .min)
    #expect(evenly(1, over: 0) == [])
    #expect(divide(7, over: [1, 1, 1]) == [3, 2, 2])
    #expect(divide(-7, over: [2, 0, 1]) == [-5, 0, -2])
    #expect(divide(.min, over: [1, 1]).reduce(0, +) == .min)
    #expect(divide(5, over: [0, -3]) == [3, 2], "weights that say nothing are the same")
    #expect(divide(1, over: []) == [])
  }
}

/// The rules of the waste report once more, by looking through all events for each charge.
@Suite struct WasteModelTests {
  @Test(arguments: 0..<30)
  func `the classes are those of the rules, and sum to what was spent`(seed: UInt64) throws {
    let story = AuditStory.generated(seed: seed, count: 500)
    for (after, through) in [(0, 500), (0, 217), (217, 500)] as [(Position, Position)] {
      let fold = try story.fold(after: after, through: through)
      let model = WasteModel(
        story.events.filter { $0.position <= through }, after: after
      ).sums
      for unit in Set(model.keys).union(fold.total.amounts.units) {
        let waste = fold.waste(of: unit)
        for wasteClass in WasteClass.allCases {
          #expect(
            waste[wasteClass] == model[unit]?[wasteClass] ?? 0,
            "\(wasteClass.name) of \(unit) after \(after) through \(through)")
        }
        #expect(waste.total == fold.total[unit].spent.high)
        #expect(waste[.inDoubt] == fold.total[unit].inDoubt)
        #expect(waste[.unprovable] == fold.total[unit].unprovable)
        #expect(waste[.reserved] == fold.total[unit].reserved)
      }
    }
  }

  @Test func `chance reaches every class`() throws {
    var reached: [WasteClass: Int64] = [:]
    for seed in 0..<30 as Range<UInt64> {
      let waste = try AuditStory.generated(seed: seed, count: 500).fold().waste(of: "tokens")
      for wasteClass in WasteClass.allCases {
        reached[wasteClass, default: 0] += abs(waste[wasteClass])
      }
    }
    for wasteClass in WasteClass.allCases {
      #expect(reached[wasteClass, default: 0] > 0, "\(wasteClass.name)")
    }
  }

  @Test func `memory is that of what is live`() throws {
    var story = AuditStory()
    for number in 0..<2_000 {
      let written = story.buy("P\(number)", behind: number % 2 == 0, body: 1, freshSeconds: 1)
      story.wait(seconds: 2)
      story.evict("P\(number)", written: written)
    }
    let fold = try story.fold()
    #expect(fold.shelf.places.count <= 2)
    #expect(fold.calls.isEmpty)
    #expect(fold.doubts.isEmpty)
  }

  @Test func `what is reserved is remembered until it ends`() throws {
    var story = AuditStory()
    for number in 0..<100 { story.buy("P\(number)") }
    var fold = AuditFold(AuditFold.Options())
    for event in story.events {
      let bytes = Record.encode(event.event, time: event.time)
      try fold.apply(event.position, event.wall, bytes.span.bytes)
      #expect(fold.reservations.count <= 1)
    }
    #expect(fold.reservations.isEmpty)
  }
}

private struct WasteModel {
  private struct Entry {
    var event: CacheWritten
    var position: Position
    var freshUntil: Int64
  }

  /// A part of what was certainly spent.
  fileprivate struct Part {
    /// Nil: for no resource that is known.
    var resource: String?
    var amount: Int64
    var use = Use.unspecified
    var written: Position = 0
  }

  /// What an attempt may hold something on.
  private struct Page: Hashable {
    var fetch: Position
    var attempt: UInt32
    var page: MeterKey
  }

  private let events: [RecordedEvent]
  private let after: Position
  var sums: [String: WasteSums] = [:]
  private var reserved: [Page: Int64] = [:]

  init(_ events: [RecordedEvent], after: Position) {
    self.events = events
    self.after = after
    defer {
      for (page, amount) in reserved { sums[page.page.unit, default: .zero][.reserved] += amount }
    }
    for recorded in events where recorded.position > after {
      for posting in recorded.event.postings(at: recorded.position) { reserve(posting) }
      var told = 0
      for posting in recorded.event.postings(at: recorded.position) where !posting.isLimitOnly {
        add(posting, of: recorded, number: told)
        told += 1
      }
    }
  }

  private mutating func reserve(_ posting: Posting) {
    let page = Page(fetch: posting.fetch, attempt: posting.attempt, page: posting.page)
    switch posting.change {
    case .reserved(let amount): if !posting.isLimitOnly { reserved[page] = amount }
    case .charged(_, let reservation): reserved[page]? -= reservation
    case .released, .doubted: reserved[page] = nil
    case .closed, .observed, .corrected: break
    }
  }

  private mutating func add(_ posting: Posting, of recorded: RecordedEvent, number: Int) {
    let unit = posting.page.unit
    switch posting.change {
    case .charged(let amount, _):
      guard case .tokensCharged(let event) = recorded.event else { return }
      let parts = event.shares.map { share in
        Part(
          resource: share.resource,
          amount: event.moves.isEmpty ? share.tokens : share.amounts[number],
          use: share.use, written: share.written)
      }
      let all = parts.isEmpty ? split(amount, posting) : parts
      add(event.moves.isEmpty ? all : all.told, unit, posting, at: recorded.position)
    case .doubted(let amount): sums[unit, default: .zero][.inDoubt] += amount
    case .closed(let doubt):
      sums[unit, default: .zero][doubt.wasUnprovable ? .unprovable : .inDoubt] -= doubt.amount
      sums[unit, default: .zero][.unprovable] += doubt.unprovable
      let parts = split(doubt.settled, posting)
      guard case .chargeResolved(let event) = recorded.event else { return }
      add(event.hasMeter ? parts.told : parts, unit, posting, at: recorded.position)
    case .corrected(let difference): sums[unit, default: .zero][.corrected] += difference
    default: break
    }
  }

  private func call(_ fetch: Position) -> FetchStarted {
    guard case .fetchStarted(let event) = events[Int(fetch) - 1].event else { fatalError() }
    return event
  }

  /// Over who pays, and over the resources of each.
  private func split(_ amount: Int64, _ posting: Posting) -> [Part] {
    let call = call(posting.fetch)
    return zip(posting.payers, posting.divided(amount)).flatMap { payer, amount in
      let indices = call.resources.indices.filter { index in
        // Format 1 tells no kinds, and one payer.
        guard !payer.kind.isEmpty else { return true }
        let demand = call.demands[call.demand(ofResource: index)]
        return same(demand.account, payer.account)
          && same(ResourceKey(stored: call.resources[index]).kind, payer.kind)
      }
      let weights = indices.map { call.weights.isEmpty ? 1 : call.weights[$0] }
      if indices.isEmpty { return [Part(resource: nil, amount: amount)] }
      return zip(indices, allot(amount, over: weights)).map {
        Part(resource: call.resources[$0], amount: $1)
      }
    }
  }

  private mutating func add(
    _ parts: [Part], _ unit: String, _ posting: Posting, at position: Position
  ) {
    for part in parts {
      sums[unit, default: .zero][rule(part, posting, at: position)] += part.amount
    }
  }

  private func rule(_ part: Part, _ posting: Posting, at position: Position) -> WasteClass {
    switch part.use {
    case .served: return .served
    case .duplicate: return .duplicate
    case .unchanged: return .unchanged
    case .failed: return .failed
    case .handedOn: return part.resource?.isEmpty == false ? .handedOn : .passedThrough
    case .refreshed:
      return part.resource.map { refresh($0, part.written) } ?? .neverRead
    case .unspecified, .UNRECOGNIZED: return judge(part, posting, at: position)
    }
  }

  /// What no share tells.
  private func judge(_ part: Part, _ posting: Posting, at position: Position) -> WasteClass {
    let (fetch, attempt) = (posting.fetch, posting.attempt)
    let call = call(fetch)
    guard let resource = part.resource,
      let index = call.resources.firstIndex(where: { same($0, resource) })
    else { return .failed }
    let demand = call.allDemands[call.demand(ofResource: index)]
    if isAnswered(resource, demand, events[Int(fetch) - 1]) { return .duplicate }
    let before = events.prefix(Int(position))
    let isAnswered = before.contains {
      if case .fetchSucceeded(let event) = $0.event {
        return event.fetch == fetch && event.attempt == attempt
      }
      return false
    }
    let entry = before.first {
      if case .cacheWritten(let event) = $0.event {
        return event.fetch == fetch && same(event.resource, resource)
      }
      return false
    }
    guard isAnswered, let entry, case .cacheWritten(let written) = entry.event else {
      return .failed
    }
    let isUnchanged = shelf(resource, before: entry.position).entries.contains {
      $0.event.contentSet == written.contentSet && $0.event.body == written.body
    }
    if isUnchanged { return .unchanged }
    return demand.isBehind ? refresh(resource, entry.position) : .served
  }

  /// What became of an entry that nobody waited for.
  private func refresh(_ resource: String, _ written: Position) -> WasteClass {
    if isRead(resource, written) { return .refreshed }
    let end = shelf(resource, before: .max).entries.first { $0.position == written }
    guard let end, end.freshUntil > (events.last?.time.milliseconds ?? 0) else { return .neverRead }
    return .live
  }

  private func isAnswered(_ resource: String, _ demand: Demand, _ at: RecordedEvent) -> Bool {
    let isFresh = shelf(resource, before: at.position).entries.contains { entry in
      let date =
        demand.ageBasis == .upstream ? entry.event.upstreamUpdatedMs : entry.event.fetchedMs
      return entry.event.contentSet & demand.contentSet == demand.contentSet
        && entry.freshUntil > at.time.milliseconds && demand.ageBasis != .live
        && (!demand.hasMaxAgeSeconds
          || at.time.milliseconds - date <= Int64(demand.maxAgeSeconds) * 1_000)
    }
    if isFresh { return true }
    return events.prefix(Int(at.position) - 1).contains { other in
      guard case .fetchStarted(let started) = other.event,
        started.resources.contains(where: { same($0, resource) }),
        started.contentSet & demand.contentSet == demand.contentSet
      else { return false }
      return !events.prefix(Int(at.position) - 1).contains { ended in
        switch ended.event {
        case .fetchSucceeded(let event): event.fetch == other.position
        case .fetchFailed(let event): event.fetch == other.position
        default: false
        }
      }
    }
  }

  /// Whether a read was answered with the entry of that position while it was fresh.
  private func isRead(_ resource: String, _ entry: Position) -> Bool {
    events.contains { recorded in
      guard case .readsTallied(let event) = recorded.event else { return false }
      return event.rows.contains { row in
        guard same(row.resource, resource), row.fresh + row.joined > 0 else { return false }
        let shelf = shelf(resource, before: recorded.position)
        guard row.written == 0 else {
          return row.written == entry
            && (shelf.entries.contains { $0.position == entry }
              || shelf.replaced?.position == entry)
        }
        let found = shelf.entries.first {
          $0.event.contentSet == row.contentSet && $0.event.fetchedMs <= row.lastReadMs
        }
        if let found { return found.position == entry }
        return shelf.replaced?.position == entry
          && shelf.replaced?.event.contentSet == row.contentSet
      }
    }
  }

  private func shelf(
    _ resource: String, before position: Position
  ) -> (entries: [Entry], replaced: Entry?) {
    var entries: [Entry] = []
    var replaced: Entry?
    func remove(_ written: Position) {
      entries.removeAll { $0.position == written }
      if entries.isEmpty { replaced = nil }
    }
    for recorded in events where recorded.position < position {
      switch recorded.event {
      case .cacheWritten(let event) where same(event.resource, resource):
        let covered = entries.filter {
          $0.event.contentSet & event.contentSet == $0.event.contentSet
        }
        if let last = covered.last { replaced = last }
        entries.removeAll { old in covered.contains { $0.position == old.position } }
        entries.append(
          Entry(event: event, position: recorded.position, freshUntil: event.freshUntilMs))
      case .cacheEvicted(let event) where same(event.resource, resource): remove(event.written)
      case .entriesSwept(let event):
        for row in event.entries where row.evicted && same(row.resource, resource) {
          remove(row.written)
        }
      case .cachePurged(let event) where same(event.resource, resource):
        if event.hard {
          remove(event.written)
        } else if let index = entries.firstIndex(where: { $0.position == event.written }) {
          entries[index].freshUntil = min(entries[index].freshUntil, event.staleFromMs)
        }
      default: break
      }
    }
    return (entries, replaced)
  }

  private func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}

extension [WasteModel.Part] {
  /// As events tell that say of each part what became of it: of what they say nothing, it brought nothing.
  fileprivate var told: [WasteModel.Part] {
    map { part in
      var part = part
      if part.use == .unspecified { part.use = .failed }
      return part
    }
  }
}
