import TollbookEvents
import TollbookLog
import TollbookViews

extension Gateway {
  /// How long the longest demand may go on reading what it found or bought, in milliseconds.
  private var inUse: Int64 { settings.answerTimeout + settings.longestWait }

  /// Makes room if the bodies of entries take more than they may: bodies go that no entry names any more, those first
  /// that were let go of first, and then entries, those first that have the least worth, with their bodies.
  ///
  /// Entries that were fetched so short a time ago that a demand may still be about to read them stay, and bodies
  /// that were let go of since then. Other bodies than those of entries neither count nor go.
  package func boundBodies() async -> JobEnding {
    let now = log.time.monotonicMilliseconds
    bound.evicted.forget(before: now - inUse)
    do throws(LogError) {
      let reader = log.reader
      let pages = try log.read { (transaction) throws(LogError) in
        try reader.bodyPageBytes(in: transaction)
      }
      let stored = log.statistics.values.bodySpace
      guard bound.mayBeExceeded(settings.cacheBytes, pages: pages, stored: stored, at: now) else {
        return .done()
      }
      // What was read a moment ago is to be seen.
      await writeTallies()
      return try await makeRoom(stored: stored)
    } catch {
      bound.pause(at: now)
      return .failed("\(error)")
    }
  }

  /// - Parameter stored: what had been stored since the process began, before anybody looked.
  private func makeRoom(stored: Int) async throws(LogError) -> JobEnding {
    var room = RoomMaking(CacheBound.target(of: settings.cacheBytes))
    if bound.scale == nil {
      let costs = try await look(isOfCosts: true)
      // Half a look tells nothing.
      guard !Task.isCancelled else { return .cancelled }
      bound.know(costs.scale)
    }
    var census = try await look()
    guard !Task.isCancelled else { return .cancelled }
    bound.know(census.scale)
    room.space = census.space
    if room.space > settings.cacheBytes {
      try await pruneReleased(&room)
      while room.isShort, !Task.isCancelled {
        let before = room.entries
        try await evict(census.least, &room)
        guard room.isShort, room.entries > before, census.least.isCut else { break }
        census = try await look()
        guard !Task.isCancelled else { return .cancelled }
        room.space = census.space
      }
    }
    bound.know(space: room.space, stored: stored)
    if room.space > settings.cacheBytes { bound.pause(at: log.time.monotonicMilliseconds) }
    return .done(room.report(of: settings.cacheBytes))
  }

  /// Looks at all that the cache holds, in portions between which others have their turn.
  ///
  /// - Parameter isOfCosts: whether only what entries cost is looked for.
  private func look(isOfCosts: Bool = false) async throws(LogError) -> CacheCensus {
    var census = CacheCensus(
      CacheCensus.Basis(
        clock: bound.clock, scale: isOfCosts ? nil : bound.scale, now: log.time.now(), inUse: inUse,
        spared: Set(importedKinds.lazy.filter { !$0.isBought }.map(\.name))))
    let (cache, reader) = (cache, log.reader)
    var cursor: [UInt8]?
    repeat {
      cursor = try log.read { (transaction) throws(LogError) in
        try census.look(after: cursor, cache, reader, in: transaction)
      }
      await Task.yield()
    } while cursor != nil && !Task.isCancelled
    guard !isOfCosts else { return census }
    repeat {
      cursor = try log.read { (transaction) throws(LogError) in
        try census.lookAtReleased(after: cursor, cache, reader, in: transaction)
      }
      await Task.yield()
    } while cursor != nil && !Task.isCancelled
    return census
  }

  private func pruneReleased(_ room: inout RoomMaking) async throws(LogError) {
    let (cache, reader) = (cache, log.reader)
    while room.isShort, !Task.isCancelled {
      let retention = min(inUse, settings.bodyRetention)
      let command = PruneBodiesCommand(
        now: log.time.now(), retention: retention, mostSpace: room.space - room.target)
      let pruned = try await log.decide { (state, _) throws(LogError) in
        try command.decide(cache, reader, state)
      }.answer
      room.space -= pruned.space
      room.bodies += pruned.bodies
      guard pruned.bodies == PruneBodiesCommand.batch else { return }
    }
  }

  /// Removes those of the least worth until there is room.
  private func evict(
    _ least: EvictionPolicy<EvictCommand.Victim>, _ room: inout RoomMaking
  ) async throws(LogError) {
    let (cache, reader) = (cache, log.reader)
    var rest = least.leastFirst[...]
    while room.isShort, !rest.isEmpty, !Task.isCancelled {
      var space = Double(room.space - room.target)
      let batch = rest.prefix(EvictCommand.batch).prefix { candidate in
        defer { space -= candidate.entry.space }
        return space > 0
      }
      rest = rest.dropFirst(batch.count)
      let command = EvictCommand(victims: batch.map(\.entry))
      bound.evicted.keep(try bodies(of: command), at: log.time.monotonicMilliseconds)
      let evicted = try await log.decide { (state, _) throws(LogError) in
        try command.decide(cache, reader, state)
      }.answer
      room.space -= evicted.space
      room.entries += evicted.entries.count
      room.bodies += evicted.bodies
      let gone = Set(evicted.entries)
      let saving = batch.filter { $0.worth.rank == .saving && gone.contains($0.worth.written) }
      if let last = saving.last { bound.advance(to: last.worth.priority, at: log.time.now()) }
    }
  }

  /// The bodies that go with entries, for those who are about to read them: as many as are kept for that. One that
  /// cannot be read is left out.
  private func bodies(of command: EvictCommand) throws(LogError) -> [Body] {
    let reader = log.reader
    return try log.read { (transaction) throws(LogError) in
      var bodies: [Body] = []
      var bytes = 0
      for victim in command.victims where bytes < EvictedBodies.mostBytes {
        guard let body = try? reader.body(digest: victim.digest, in: transaction) else { continue }
        bytes += body.compressedBytes
        bodies.append(body)
      }
      return bodies
    }
  }
}

/// How far it has come to make room.
private struct RoomMaking {
  /// What the bodies may take when it is done, and what they take.
  let target: Int
  var space = 0
  var entries = 0
  var bodies = 0

  init(_ target: Int) { self.target = target }

  var isShort: Bool { space > target }

  /// For a person.
  func report(of bound: Int) -> String {
    guard entries > 0 || bodies > 0 || space > bound else { return "" }
    let made = "made room: entries \(entries), bodies \(bodies)"
    return space > bound
      ? "\(made); \(space) bytes are taken of \(bound): what is left may be in use" : made
  }
}
