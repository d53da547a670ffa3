import TollbookEvents
import TollbookGateway
import TollbookLog

// What accounts are told: facts found in scans, in alerts, and in what is watched.

extension Scout {
  /// How often it looks, in milliseconds.
  private static let noticePause: Int64 = 1_000
  /// Events before the head in which alerts are looked for after a start. What was told before is not told again.
  private static let alertsBefore: Position = 10_000
  private static let mostAlerts = 1_000

  /// Looks for what is to be told, until the task is cancelled.
  func keepNoticing(_ gateway: Gateway) async {
    while !Task.isCancelled {
      if !isUsed, await notices.load(gateway) { noteUse() }
      // What cannot be looked at now is looked at with the next scan.
      if isUsed { try? await lookForNews(gateway) }
      guard (try? await gateway.log.time.sleep(Self.noticePause)) != nil else { break }
    }
  }

  /// Sends what is due, until the task is cancelled. A channel that hangs takes one of the few messages that may be under
  /// way, and holds up no other.
  func keepSending(_ gateway: Gateway) async {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        if isUsed { group.addTask { await self.notices.send(gateway) } }
        guard (try? await gateway.log.time.sleep(Self.noticePause)) != nil else { break }
      }
      group.cancelAll()
    }
  }

  /// Queues what rules want told of scans, watches and alerts since the last look.
  func lookForNews(_ gateway: Gateway) async throws {
    try await lookAtAlerts(gateway)
    try await lookAtScans(gateway)
    try await lookAtWatches(gateway)
  }

  /// Queues what the rules of an account want told of facts, such as the news of its watches. An account whose data key
  /// is gone holds up no other.
  ///
  /// - Returns: whether they were looked at.
  @discardableResult
  func tell(
    _ facts: [NotificationFact], of account: String, _ gateway: Gateway
  ) async throws -> Bool {
    do { try await notices.tell(facts, of: account, gateway) } catch is AccountRefusal {
      return false
    }
    return true
  }

  // MARK: Scans

  private func lookAtScans(_ gateway: Gateway) async throws {
    let noted = notices.news.noted
    guard !noted.isEmpty else { return }
    var listening: Set<String> = []
    for account in Set(noted.map(\.search.account)) {
      let rules = try notices.book(gateway).rules(of: account)
      let isAny = rules.contains { [.newDeal, .priceDrop].contains($0.condition.kind) }
      if isAny { listening.insert(account) }
    }
    guard !listening.isEmpty else {
      _ = notices.news.take(upTo: .max)
      return
    }
    let content = await board.content(of: index, judges: judges, now: gateway.log.time.now())
    let scans = notices.news.take(upTo: content.version)
      .filter { listening.contains($0.search.account) }
    for (place, scan) in scans.enumerated() {
      do { try await tell(of: scan, in: content, gateway) } catch {
        // A price that has fallen is told by no later scan.
        for left in scans[place...] { notices.news.note(left) }
        throw error
      }
    }
  }

  /// Queues what rules want told of the listings that a scan has shown, without those that they are compared with.
  func tell(
    of scan: NotificationNews.Scan, in table: DealTable, _ gateway: Gateway
  ) async throws {
    let account = scan.search.account
    let hidden = try MarkBook(gateway: gateway).marks(of: account).byID
      .filter { $0.value.contains(.hidden) }
    let shown = rows(of: [scan.search.page(0)?.keyOfAllPages].compactMap(\.self), in: table)
    let facts = table.rows.enumerated()
      .filter { shown.contains($0.offset) && hidden[$0.element.listing.id.description] == nil }
      .flatMap { $0.element.facts(of: scan) }
    try await tell(facts, of: account, gateway)
  }

  // MARK: Watches

  /// What is watched is looked at when the index has changed, and once a minute: a listing also ends by the clock.
  private func lookAtWatches(_ gateway: Gateway) async throws {
    let now = gateway.log.time.monotonicMilliseconds
    guard notices.news.takeWatches(of: index.version, at: now) else { return }
    let book = WatchBook(gateway: gateway)
    let facts = try await watchNews(gateway)
    for (account, own) in Dictionary(grouping: facts, by: \.account).sorted(by: { $0.key < $1.key })
    where try await tell(own, of: account, gateway) {
      try await book.noteTold(own, to: account)
    }
  }

  // MARK: Alerts

  private func lookAtAlerts(_ gateway: Gateway) async throws {
    let (log, standard) = (gateway.log, gateway.settings.account)
    let head = log.head
    let before = notices.news.alertsUpTo
    let start = before ?? (head > Self.alertsBefore ? head - Self.alertsBefore : 0)
    guard head > start else { return }
    let (index, reader) = (log.index, log.reader)
    let (raised, end) = try log.read { (reading) throws(LogError) in
      let positions = try index.positions(
        of: .alertRaised, after: start, limit: Self.mostAlerts, in: reading)
      var raised: [(alert: Alert, position: Position)] = []
      for position in positions {
        guard case .alertRaised(let event)? = try reader.event(at: position, in: reading)?.event
        else { continue }
        raised.append((event.alert, position))
      }
      return (raised, positions.count < Self.mostAlerts ? head : positions.last ?? head)
    }
    var facts: [String: [NotificationFact]] = [:]
    for (alert, position) in raised {
      guard let fact = NotificationFact(alert, at: position, standard: standard) else { continue }
      facts[fact.account, default: []].append(fact)
    }
    for (account, own) in facts.sorted(by: { $0.key < $1.key }) {
      try await tell(own, of: account, gateway)
    }
    notices.news.noteAlerts(upTo: end)
  }
}

extension NotificationDesk {
  /// Notes what a scan has brought, to be looked at soon.
  func note(_ search: SavedSearch, _ outcome: SearchScan.Outcome, version: UInt64) {
    news.note(
      NotificationNews.Scan(search: search, cheaper: Set(outcome.cheaper), version: version))
  }
}

extension NotificationFact {
  /// What an alert tells; nil: nothing that can be named.
  ///
  /// - Parameter standard: the account that is told what is no account's, where its rule may.
  fileprivate init?(_ alert: Alert, at position: Position, standard: String) {
    let isForOperators = alert.account.isEmpty
    let account = isForOperators ? standard : alert.account
    let at = Timestamp(milliseconds: alert.atMs)
    let fact: NotificationFact?
    if alert.name == AlertName.threshold.rawValue {
      // One that rolls has no window: each time that it is raised is another fact.
      let window =
        alert.window.isEmpty ? "\(position)" : "\(alert.tag) \(alert.window)"
      let budget = alert.tag.isEmpty ? alert.budget : "\(alert.budget), \(alert.tag)"
      fact = try? .budgetThreshold(
        budget, of: account, window: window, percent: Int(alert.percent), at: at)
    } else {
      fact = try? .alert(
        alert.name, of: account, number: position, sentence: alert.sentence, at: at)
    }
    guard var fact else { return nil }
    fact.isForOperators = isForOperators
    self = fact
  }
}

extension DealBoard.Row {
  /// What rules may want told of it.
  fileprivate func facts(of scan: NotificationNews.Scan) -> [NotificationFact] {
    let account = scan.search.account
    let id = listing.id.description
    func amount(_ units: Int64) -> Amount? {
      EbayMoney(minorUnits: units, listing.currency)?.nanoUnits.map {
        Amount($0, listing.currency.code)
      }
    }
    var facts: [NotificationFact?] = []
    if let score, let total = amount(listing.total ?? listing.price) {
      facts.append(
        try? .newDeal(
          id, of: account, title: listing.title, url: listing.webURL,
          score: Int(score.tenths / 10), total: total, fair: amount(score.fair.minorUnits),
          at: listing.seen))
    }
    if scan.cheaper.contains(listing.id), let earlier = listing.earlierPrice.flatMap(amount),
      let price = amount(listing.price)
    {
      facts.append(
        try? .priceDrop(
          id, of: account, title: listing.title, url: listing.webURL, from: earlier, to: price,
          at: listing.seen))
    }
    return facts.compactMap { fact in
      var fact = fact
      fact?.search = scan.search.id
      return fact
    }
  }
}
