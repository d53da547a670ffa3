import TollbookEvents

extension EventGenerator {
  /// Something happens to a credential that was put in.
  mutating func changePool() {
    guard formats != .first else { return }
    switch random.int(0...9) {
    case 0...3: setCredential()
    case 4: removeCredential()
    case 5...7: coolCredential()
    default: setPool()
    }
  }

  /// One is put in, put in again after it was removed, or changed.
  private mutating func setCredential() {
    let id = random.pick(["", "atlas:"]) + random.pick(Self.credentials)
    let before = model.credentials[bytes(id)]
    var event = CredentialSet()
    event.credential = id
    event.upstream = random.pick(["atlas", Self.composed])
    event.name = random.pick(["", "first", Self.decomposed])
    event.account = random.pick(["", "acme", Self.composed])
    event.unit = random.pick(["tokens", "EUR"])
    if random.chance(50) { event.limit = amount(0...90_000) }
    event.weight = UInt32(random.int(1...9))
    event.source = random.pick([.settings, .sealed])
    event.quotaGroup = random.pick(["", "office"])
    event.status = random.pick([.accepted, .expired, .disabled])
    event.setMs = time.milliseconds - random.int64(0...900)
    event.actor = "somebody"
    let position = emit(.credentialSet(event))
    let isNew = before?.isRemoved ?? true
    model.credentials[bytes(id)] = LogModel.PutIn(
      texts: [event.upstream, event.name, event.account, event.unit].map { bytes($0) },
      limit: event.hasLimit ? event.limit : nil, weight: event.weight, source: event.source,
      group: bytes(event.quotaGroup.isEmpty ? id : event.quotaGroup), status: event.status,
      since: isNew
        ? Timestamp(milliseconds: event.setMs) : before?.since ?? Timestamp(milliseconds: 0),
      order: isNew ? position : before?.order ?? position)
  }

  private mutating func removeCredential() {
    let there = model.credentials.filter { !$0.value.isRemoved }.keys
    guard !there.isEmpty else { return }
    let id = random.pick(there.sorted { $0.lexicographicallyPrecedes($1) })
    var event = CredentialRemoved()
    event.credential = text(id)
    event.actor = "somebody"
    emit(.credentialRemoved(event))
    model.credentials[id]?.isRemoved = true
  }

  private mutating func coolCredential() {
    var event = CredentialCooled()
    event.credential = random.pick(Self.credentials)
    event.quotaGroup = random.pick(["", "office", Self.decomposed])
    event.untilMs = time.milliseconds + random.int64(-9_000...90_000)
    event.reason = .insufficientTokens
    event.detail = random.pick(["", "no", Self.composed])
    emit(.credentialCooled(event))
    let group = bytes(event.quotaGroup.isEmpty ? event.credential : event.quotaGroup)
    let until = Timestamp(milliseconds: event.untilMs)
    // Later ones only lengthen it.
    if let known = model.cooling[group], known.until >= until { return }
    model.cooling[group] = LogModel.Cooling(until: until, detail: bytes(event.detail))
  }

  private mutating func setPool() {
    var event = PoolSet()
    event.upstream = random.pick(["atlas", Self.composed])
    event.account = random.pick(["", "acme", Self.decomposed])
    event.selection = random.pick(Selection.allCases)
    event.actor = "somebody"
    emit(.poolSet(event))
    model.pools[[bytes(event.upstream), bytes(event.account)]] = event.selection
  }
}
