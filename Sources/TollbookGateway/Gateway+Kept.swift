package import TollbookEvents
package import TollbookLog
package import TollbookViews

// What a system keeps that nobody sells, such as what a client has sent in: entries of a kind of its own.

extension Gateway {
  /// What must be so for something to be kept.
  package enum KeepingCondition: Hashable, Sendable {
    case any
    /// Nothing is kept under the name.
    case isNew
    /// What is kept under the name is still what this commit wrote.
    case isStill(Position)
  }

  /// Keeps a content as an entry, sealed if its kind is. It is on the disk when this returns.
  ///
  /// - Returns: false: what must be so was not, and nothing has changed.
  /// - Throws: `PurchaseProblem` if there is no space for it, or it cannot be sealed.
  @discardableResult
  package func keep(
    _ content: [UInt8], as resource: ResourceKey, if condition: KeepingCondition = .any
  ) async throws(PurchaseProblem) -> Bool {
    do throws(LogError) {
      if let shortage = try log.shortage() { throw .readOnly(reason: shortage) }
    } catch { throw PurchaseProblem(error) }
    guard resource.isPossible else { throw PurchaseProblem(.requestRejected, resource.fault) }
    guard let body = await sealed(content, as: resource) else {
      throw PurchaseProblem(
        .storageFailed,
        "it cannot be sealed: the data key of the account cannot be used, or not be kept")
    }
    let (cache, kinds, now) = (cache, importedKinds, log.time.now())
    do throws(LogError) {
      return try await log.decide { (state, _) throws(LogError) in
        let before = try cache.all(of: resource, in: state)
        switch condition {
        case .any: break
        case .isNew: if !before.isEmpty { return Decision(answer: false) }
        case .isStill(let position):
          if before.first?.written != position { return Decision(answer: false) }
        }
        let event = CacheWritten(
          Write(resource, body: []), body, in: kinds.first { $0.name == resource.kind }, fetch: 0,
          fetched: now, costs: [], after: before)
        return Decision(events: [.cacheWritten(event)], bodies: [body], answer: true)
      }.answer
    } catch { throw PurchaseProblem(error) }
  }

  /// Changes what is kept under a name, however many change it at the same time: each sees what the one before has left.
  ///
  /// - Parameter change: makes the new content of the old one; nil: there is none. It may be called several times.
  /// - Returns: what is kept now.
  package func rekeep(
    _ resource: ResourceKey, _ change: @Sendable ([UInt8]?) throws -> [UInt8]
  ) async throws -> [UInt8] {
    while true {
      let entry = try kept(resource)
      let old = try entry.map { (entry) throws(LogError) in try content(of: entry) } ?? nil
      let new = try change(old)
      if new == old { return new }
      let condition: KeepingCondition = entry.map { .isStill($0.written) } ?? .isNew
      if try await keep(new, as: resource, if: condition) { return new }
      try Task.checkCancellation()
    }
  }

  /// The entries of what was kept whose names begin so, in their order. Counts as no read.
  ///
  /// - Parameter limit: the most of them.
  package func kept(under prefix: String, atMost limit: Int) throws(LogError) -> [CacheEntry] {
    let cache = cache
    return try log.read { (reading) throws(LogError) in
      try cache.page(prefix: prefix, after: nil, limit: limit, scanLimit: limit, in: reading) {
        _ in true
      }.entries
    }
  }

  /// The accounts that something of one of these kinds is kept for, closed ones too, in the order of their names.
  ///
  /// It looks at the first entry of each account that has any, and at the first of each kind.
  package func accounts(keeping kinds: [String]) throws(LogError) -> [String] {
    let cache = cache
    return try log.read { (reading) throws(LogError) in
      var accounts: [String] = []
      var cursor: [UInt8]?
      while let account = try cache.first(prefix: "account/", after: cursor, in: reading)?.resource
        .account
      {
        let own = "account/\(account)/"
        for kind in kinds where try cache.first(prefix: "\(own)\(kind)/", in: reading) != nil {
          accounts.append(account)
          break
        }
        // No byte of a name is as high: behind all that is the account's.
        cursor = Array(own.utf8) + [0xff]
      }
      return accounts.sorted()
    }
  }

  /// Those of them that are open.
  package func openAccounts(keeping kinds: [String]) throws(LogError) -> [String] {
    let found = try accounts(keeping: kinds)
    let (view, standard) = (AccountsView(log), settings.account)
    return try log.read { (reading) throws(LogError) in
      var open: [String] = []
      for account in found {
        // The account of all who show no key of their own may have no row.
        let isOpen = try view.account(account, in: reading)?.isOpen ?? (account == standard)
        if isOpen { open.append(account) }
      }
      return open
    }
  }

  /// Compresses and seals: work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private func sealed(_ content: [UInt8], as resource: ResourceKey) async -> Body? {
    stored(content, as: resource).map { Body($0) }
  }

  /// The entry of what was kept; nil: there is none any more. Counts as no read.
  package func kept(_ resource: ResourceKey) throws(LogError) -> CacheEntry? {
    let cache = cache
    return try log.read { (reading) throws(LogError) in
      try cache.entry(resource, covering: 0, in: reading)
    }
  }

  /// The content of what was kept; nil: it is not there any more, or the key is gone that it was sealed with.
  package func keptContent(_ resource: ResourceKey) throws(LogError) -> [UInt8]? {
    guard let entry = try kept(resource) else { return nil }
    return try content(of: entry)
  }
}
