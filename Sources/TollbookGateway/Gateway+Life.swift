import TollbookEvents
package import TollbookLog
import TollbookViews

// MARK: The service's life

extension Gateway {
  /// Books the start: what the last run left under way is in doubt from here on, and its jobs go on.
  package func start(version: String) async throws(LogError) {
    let command = StartCommand(
      version: version, isSimulated: isSimulated,
      upstreams: purchasers.filter(\.isConfigured).map(\.upstream), restored: try unnotedRestore(),
      now: log.time.now())
    let ledger = ledger
    let started = try await log.decide { (state, context) throws(LogError) in
      try command.decide(ledger, state, context)
    }
    jobs.begin(at: started.position)
    try bindCredentials()
    try await resumeJobs()
  }

  /// How the log was restored, if no start since has noted it.
  private func unnotedRestore() throws(LogError) -> LogOrigin? {
    let log = log
    return try log.read { (transaction) throws(LogError) in
      guard let origin = try log.reader.origin(in: transaction) else { return nil }
      let noted = try log.index.positions(
        of: .logRestored, after: origin.position, limit: 1, in: transaction)
      return noted.isEmpty ? origin : nil
    }
  }

  /// Between two looks whose time is over, in milliseconds: a client that gives up soon is told in time.
  private static let tickInterval: Int64 = 250

  /// Does the housekeeping until the task is cancelled: deadlines, tallies, expiry, the balance, space, readers that
  /// died.
  ///
  /// - Parameter tell: gets what whoever runs the service should know.
  package func runHousekeeping(tell: @escaping @Sendable (HouseNote) -> Void = { _ in }) async {
    await withTaskGroup { group in
      group.addTask { [self] in
        await jobs.repeat(.deadlines, every: Self.tickInterval) { [self] _ in
          for purchaser in purchasers { purchaser.tick() }
          return .done()
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.tallies, every: settings.tallyInterval, isFirstAtOnce: false) {
          [self] _ in
          await writeTallies()
          watchStorage(tell)
          return .done()
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.readers, every: settings.readerInterval, isFirstAtOnce: false) {
          [self] _ in
          releaseDeadReaders(tell)
          return .done()
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.expiry, every: settings.sweepInterval) { [self] _ in
          await sweep()
          await pruneBodies()
          await forgetRequests()
          return .done()
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.eviction, every: settings.sweepInterval) { [self] _ in
          await boundBodies()
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.meters, every: settings.balanceInterval / 4) { [self] _ in
          for purchaser in purchasers { await purchaser.watchMeters() }
          return .done()
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.alerts, every: settings.alertInterval) { [self] _ in
          await ending(tell) { () async throws(LogError) in try await lookForAlerts() }
        }
      }
      group.addTask { [self] in
        await jobs.repeat(.deliveries, every: settings.alertInterval, isFirstAtOnce: false) {
          [self] _ in
          await ending(tell) { () async throws(LogError) in try await deliverAlerts() }
        }
      }
      if !accountFiles.isEmpty {
        group.addTask { [self] in
          await jobs.repeat(.files, every: settings.filesInterval) { [self] _ in await sweepFiles()
          }
        }
      }
      if settings.refreshesAhead {
        group.addTask { [self] in
          await jobs.repeat(.ahead, every: Purchaser.aheadInterval, isFirstAtOnce: false) {
            [self] _ in await refreshAhead()
          }
        }
      }
      if refreshesHot {
        group.addTask { [self] in
          await jobs.repeat(.hot, every: Purchaser.hotInterval, isFirstAtOnce: false) {
            [self] _ in await refreshHot()
          }
        }
      }
    }
  }

  /// Between two looks for what is about to be lost, in milliseconds.
  package static let aheadInterval = Purchaser.aheadInterval
  /// So long before a refill it is spent at the earliest, in milliseconds.
  package static let aheadLead = AheadPace.longest

  /// Does something, and tells what came of it.
  private func ending(
    _ tell: @Sendable (HouseNote) -> Void, _ body: () async throws(LogError) -> [HouseNote]
  ) async -> JobEnding {
    do throws(LogError) {
      for note in try await body() { tell(note) }
      return .done()
    } catch { return .failed("\(error)") }
  }

  /// Spends what upstreams' buckets are about to lose on entries that will probably be read.
  package func refreshAhead() async -> JobEnding {
    var turns: [Purchaser.AheadTurn] = []
    for purchaser in purchasers { turns.append(await purchaser.buyAhead(into: aheadReads)) }
    return ending(of: turns)
  }

  /// Buys again what is read often and will soon not be fresh, within what upstreams' meters allow for that.
  package func refreshHot() async -> JobEnding {
    var turns: [Purchaser.AheadTurn] = []
    for purchaser in purchasers where purchaser.isHot {
      turns.append(await purchaser.refreshHot(into: aheadReads))
    }
    return ending(of: turns)
  }

  private func ending(of turns: [Purchaser.AheadTurn]) -> JobEnding {
    var details: [String] = []
    var isFailed = false
    for turn in turns {
      switch turn {
      case .bought(let count): details.append("\(count) bought ahead")
      case .nothing(let reason): details.append(reason)
      case .failed(let problem):
        isFailed = true
        details.append(problem)
      }
    }
    let detail = details.joined(separator: "; ")
    return isFailed ? .failed(detail) : .done(detail)
  }

  /// No further call is sent, and what waits is answered. Does not wait for the calls that are out.
  package func beginStop() {
    for purchaser in purchasers { purchaser.beginStop() }
  }

  /// Waits for calls under way and writes down what was counted. Requests that come after this are not bought.
  package func stop() async {
    await withTaskGroup { group in
      for purchaser in purchasers { group.addTask { await purchaser.stop() } }
    }
    await jobs.stop()
    await writeTallies()
  }

  /// Writes down the reads and the refusals that were counted in memory.
  package func writeTallies() async {
    let reads = tallies.drain()
    let refusals = purchasers.map { ($0, $0.refusals.drain()) }
    let events = reads + refusals.flatMap(\.1)
    guard !events.isEmpty else { return }
    do throws(LogError) {
      _ = try await log.decide { (_, _) throws(LogError) in
        Decision(events: events, answer: ())
      }
    } catch {
      tallies.restore(reads)
      for (purchaser, events) in refusals { purchaser.refusals.restore(events) }
    }
  }

  /// Marks and removes what is due.
  package func sweep() async {
    let cache = cache
    while !Task.isCancelled {
      let command = SweepCommand(now: log.time.now())
      let isDue = try? log.read { (transaction) throws(LogError) in
        try !cache.dueEntries(at: command.now, limit: 1, in: transaction).isEmpty
      }
      guard isDue == true else { return }
      let swept = try? await log.decide { (state, _) throws(LogError) in
        try command.decide(cache, state)
      }
      guard let swept, swept.answer == SweepCommand.batch else { return }
    }
  }
}
