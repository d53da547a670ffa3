import LMDB
import TollbookEvents

extension AuditFold {
  mutating func charged(_ event: ChargedFields, _ record: RawSpan) {
    let account = names.number(of: event.account, in: record)
    let credential = names.number(of: event.credential, in: record)
    let operation = names.number(of: event.operation, in: record)
    note(
      call: event.fetch,
      MeterNames(credential: credential, unit: names.number(of: event.unit, in: record)))
    if isCounting, isWanted(account) {
      var delta = AuditSums()
      delta.certain = event.tokens
      delta.expected = event.expected
      delta.charges = 1
      if followsResources {
        let parts = parts(of: event, record)
        book(delta, parts, at: last, account: account, credential: credential, operation: operation)
        if options.withWaste {
          for part in parts { classify(part, of: event.fetch, attempt: event.attempt) }
        }
      } else {
        let key = group(
          at: last, account: account, credential: credential, operation: operation)
        groups.add(delta, to: key)
      }
      checkPrice(event, record)
    }
    attemptBooked(event.fetch, event.attempt)
  }

  private mutating func checkPrice(_ event: ChargedFields, _ record: RawSpan) {
    if event.tokens > event.reserved {
      reconciliation.excess &+= event.tokens &- event.reserved
    }
    guard event.tokens != event.expected else { return }
    reconciliation.add(
      price: PriceDrift(
        position: position, time: last, fetch: event.fetch,
        operation: String(decoding: record.bytes(in: event.operation), as: UTF8.self),
        tokens: event.tokens, expected: event.expected, reserved: event.reserved))
  }

  // MARK: Doubts

  mutating func doubted(_ event: ChargeInDoubt) {
    let call = calls[event.fetch]
    let credential = names.number(of: event.credential)
    let doubt = AuditDoubt(
      time: last, account: call?.account, credential: credential, operation: call?.operation)
    note(
      call: event.fetch,
      MeterNames(credential: credential, unit: names.number(of: event.unit)))
    doubts[DoubtKey(fetch: event.fetch, attempt: event.attempt)] = doubt
    calls[event.fetch]?.openDoubts += 1
    if isCounting, isWanted(doubt.account) {
      post(event.tokens, to: \.inDoubt, doubt, fetch: event.fetch)
      waste[.inDoubt] &+= event.tokens
    }
    attemptBooked(event.fetch, event.attempt)
  }

  mutating func resolved(_ event: ChargeResolved) {
    let credential = names.number(of: event.credential)
    for closing in event.doubts {
      let key = DoubtKey(fetch: closing.fetch, attempt: closing.attempt)
      let account = names.number(of: closing.account)
      let operation = names.number(of: closing.operation)
      // One from before what the log holds counts when it is closed.
      let doubt =
        doubts[key]
        ?? AuditDoubt(time: last, account: account, credential: credential, operation: operation)
      if isCounting, isWanted(doubt.account ?? account) {
        let state = closing.wasUnprovable ? \AuditSums.unprovable : \AuditSums.inDoubt
        post(0 &- closing.tokens, to: state, doubt, fetch: closing.fetch)
        waste[closing.wasUnprovable ? .unprovable : .inDoubt] &-= closing.tokens
        if closing.unprovable != 0 {
          post(closing.unprovable, to: \.unprovable, doubt, fetch: closing.fetch)
          waste[.unprovable] &+= closing.unprovable
        }
      }
      if isCounting, closing.settled != 0, isWanted(account) {
        settle(closing, account: account, credential: credential, operation: operation)
      }
      if closing.unprovable == 0, doubts.removeValue(forKey: key) != nil {
        calls[closing.fetch]?.openDoubts -= 1
        forget(closing.fetch)
      }
    }
  }

  /// What is left of a doubt is a charge like any other, at the time when that was found.
  private mutating func settle(
    _ closing: ResolvedDoubt, account: Int, credential: Int, operation: Int
  ) {
    var delta = AuditSums()
    delta.certain = closing.settled
    delta.charges = 1
    let parts = evenParts(closing.settled, of: closing.fetch)
    book(delta, parts, at: last, account: account, credential: credential, operation: operation)
    if options.withWaste {
      for part in parts { classify(part, of: closing.fetch, attempt: closing.attempt) }
    }
  }

  /// Moves a term of a doubt, in the group where the doubt began.
  private mutating func post(
    _ tokens: Int64, to term: WritableKeyPath<AuditSums, Int64>, _ doubt: AuditDoubt,
    fetch: Position
  ) {
    var delta = AuditSums()
    delta[keyPath: term] = tokens
    guard options.grouping.divides else {
      let key = group(
        at: doubt.time, account: doubt.account, credential: doubt.credential,
        operation: doubt.operation)
      return groups.add(delta, to: key)
    }
    groups.addToTotal(delta)
    for part in evenParts(tokens, of: fetch) {
      var share = AuditSums()
      share[keyPath: term] = part.tokens
      groups.addToGroup(share, part.place.map { group(ofResource: shelf[$0].name) } ?? .unknown)
    }
  }

  // MARK: Parts

  /// The part of a charge that is for one resource of a call.
  struct Part {
    /// The place of the resource; nil: no resource is known.
    var place: Int?
    /// Its index among the resources of the call.
    var index: Int?
    var tokens: Int64
  }

  /// Divides a charge by its shares, or evenly if they are not all of it.
  private mutating func parts(of event: ChargedFields, _ record: RawSpan) -> [Part] {
    guard event.isWhole, !event.shares.isEmpty else {
      return evenParts(event.tokens, of: event.fetch)
    }
    var parts: [Part] = []
    parts.reserveCapacity(event.shares.count)
    for (hint, share) in event.shares.enumerated() {
      let place = place(of: share.resource, record, near: hint, in: event.fetch)
      parts.append(
        Part(
          place: place, index: index(of: place, near: hint, in: event.fetch),
          tokens: share.tokens))
    }
    return parts
  }

  /// The place of a resource that a call probably names.
  private mutating func place(
    of range: Range<Int>, _ record: RawSpan, near hint: Int, in fetch: Position
  ) -> Int {
    if let expected = calls[fetch]?.resource(hint),
      record.extracting(range).elementsEqual(shelf[expected].name.bytes)
    {
      return expected
    }
    return shelf.place(of: range, in: record)
  }

  private func evenParts(_ tokens: Int64, of fetch: Position) -> [Part] {
    guard let resources = calls[fetch]?.resources, !resources.isEmpty else {
      return [Part(tokens: tokens)]
    }
    return evenly(tokens, over: resources.count).enumerated().map { index, tokens in
      Part(place: resources[index], index: index, tokens: tokens)
    }
  }

  /// Adds a charge: to its group, or to the groups of its parts.
  private mutating func book(
    _ delta: AuditSums, _ parts: [Part], at time: Timestamp, account: Int, credential: Int,
    operation: Int
  ) {
    guard options.grouping.divides else {
      let key = group(
        at: time, account: account, credential: credential, operation: operation)
      return groups.add(delta, to: key)
    }
    groups.addToTotal(delta)
    var touched: AuditGroups.Key?
    let expected = evenly(delta.expected, over: parts.count)
    for (index, part) in parts.enumerated() {
      let key = part.place.map { group(ofResource: shelf[$0].name) } ?? .unknown
      var share = AuditSums()
      share.certain = part.tokens
      share.expected = expected[index]
      if key != touched { share.charges = delta.charges }
      touched = key
      groups.addToGroup(share, key)
    }
  }

  // MARK: Waste

  /// Brings tokens that are certainly spent into their class.
  private mutating func classify(_ part: Part, of fetch: Position, attempt: UInt32) {
    guard let call = calls[fetch], let index = part.index, let place = part.place else {
      waste[.failed] &+= part.tokens
      return
    }
    let marks = call.marks[index]
    if marks.contains(.duplicate) {
      waste[.duplicate] &+= part.tokens
    } else if call.succeeded != attempt || !marks.contains(.brought) {
      waste[.failed] &+= part.tokens
    } else if marks.contains(.unchanged) {
      waste[.unchanged] &+= part.tokens
    } else if !call.isBehind {
      waste[.served] &+= part.tokens
    } else if marks.contains(.used) {
      waste[.refreshed] &+= part.tokens
    } else if marks.contains(.unread) {
      waste[.neverRead] &+= part.tokens
    } else {
      hold(part.tokens, for: fetch, in: place)
    }
  }

  /// Keeps tokens with an entry, until it is known what becomes of it.
  private mutating func hold(_ tokens: Int64, for fetch: Position, in place: Int) {
    if let index = shelf[place].entries.firstIndex(where: { $0.fetch == fetch }) {
      shelf[place].entries[index].pending &+= tokens
    } else if shelf[place].replaced?.fetch == fetch {
      shelf[place].replaced?.pending &+= tokens
    } else {
      waste[.neverRead] &+= tokens
    }
  }

  // MARK: Refusals

  mutating func refused(_ event: SpendRefused) {
    let account = names.number(of: event.account)
    guard isCounting, isWanted(account) else { return }
    var delta = AuditSums()
    delta.refused = Int64(event.resources)
    if event.behind { delta.refusedBehind = delta.refused }
    guard options.grouping.divides else {
      let key = group(
        at: last, account: account, credential: names.number(of: event.credential),
        operation: names.number(of: event.operation))
      return groups.add(delta, to: key)
    }
    groups.addToTotal(delta)
    var one = AuditSums()
    one.refused = 1
    one.refusedBehind = event.behind ? 1 : 0
    var left = delta.refused
    for resource in event.refused where left > 0 {
      groups.addToGroup(one, group(ofResource: ByteName(resource)))
      left -= 1
    }
    delta.refused = left
    if event.behind { delta.refusedBehind = left }
    if left > 0 { groups.addToGroup(delta, .unknown) }
  }
}

extension AuditCall {
  fileprivate func resource(_ index: Int) -> Int? {
    index < resources.count ? resources[index] : nil
  }
}
