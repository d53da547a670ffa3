import JSONText
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookViews

/// Runs schedules, and keeps each as an entry of its own, so that after a start one goes on as it was moved or paused, and
/// makes up for at most one run.
///
/// 1. That a run begins is on the disk before it does: after a crash it is not begun once more.
/// 2. What cannot be kept runs all the same.
/// 3. Before it has run or was changed a schedule is not kept: where nobody uses them, the log says nothing of them.
package final class ScheduleKeeper: Sendable {
  /// Does one run.
  package typealias Run = @Sendable (ScheduledRun) async -> JobEnding

  /// How often it looks what is due, in milliseconds.
  private static let pause: Int64 = 1_000

  private let kind: String
  private let standards: [(name: String, rule: ScheduleRule)]
  private let clock = Mutex(ScheduleClock())
  private let isLoaded = Mutex(false)

  /// - Parameters:
  ///   - kind: of the entries; nobody sells it.
  ///   - standards: the schedules, each with the rule that it has unless somebody moves it.
  package init(kind: String, _ standards: [(name: String, rule: ScheduleRule)]) {
    self.kind = kind
    self.standards = standards
  }

  /// The schedules as they stand.
  package var schedules: ScheduleClock { clock.withLock(\.self) }

  /// Takes up the schedules as they were left. The first time each is new.
  package func load(_ gateway: Gateway) async {
    guard !isLoaded.withLock(\.self) else { return }
    let now = gateway.log.time.now()
    for (name, rule) in standards {
      let content = (try? gateway.keptContent(resource(name))) ?? nil
      let kept = content.flatMap { Schedule($0, name, standard: rule) }
      guard let schedule = kept ?? (try? Schedule(name, standard: rule, anchor: now)) else {
        continue
      }
      clock.withLock { try? $0.add(schedule) }
    }
    isLoaded.withLock { $0 = true }
  }

  /// Runs what is due, until the task is cancelled.
  ///
  /// - Parameter isUsed: whether anybody has use for it; as long as nobody has, nothing runs.
  package func keep(
    _ gateway: Gateway, while isUsed: @escaping @Sendable () -> Bool, _ run: @escaping Run
  ) async {
    await load(gateway)
    await withTaskGroup(of: Void.self) { group in
      while !Task.isCancelled {
        for due in isUsed() ? await begin(gateway) : [] {
          group.addTask { [self] in end(due, await run(due), gateway) }
        }
        guard (try? await gateway.log.time.sleep(Self.pause)) != nil else { break }
      }
      group.cancelAll()
    }
  }

  /// Runs what is due now, and waits for its end.
  package func runDue(_ gateway: Gateway, _ run: Run) async {
    await load(gateway)
    for due in await begin(gateway) { end(due, await run(due), gateway) }
  }

  private func begin(_ gateway: Gateway) async -> [ScheduledRun] {
    let now = gateway.log.time.now()
    let due = clock.withLock { $0.look(at: now) }
    for run in due {
      if let entry = clock.withLock({ $0[run.name] }) { await keep(entry.schedule, gateway) }
    }
    return due
  }

  private func end(_ run: ScheduledRun, _ ending: JobEnding, _ gateway: Gateway) {
    let now = gateway.log.time.now()
    clock.withLock { $0.ended(run.name, ending, at: now) }
  }

  /// Moves, pauses or resumes a schedule, or asks for a run of it.
  package func change(
    _ name: String, _ change: ScheduleChange, _ gateway: Gateway
  ) async throws(ScheduleProblem) -> ScheduleClock.Entry {
    await load(gateway)
    let now = gateway.log.time.now()
    let changed: Result<ScheduleClock.Entry, ScheduleProblem> = clock.withLock { clock in
      do throws(ScheduleProblem) {
        return .success(try clock.change(name, change, at: now))
      } catch { return .failure(error) }
    }
    let entry = try changed.get()
    await keep(entry.schedule, gateway)
    return entry
  }

  private func resource(_ name: String) -> ResourceKey { ResourceKey(shared: kind, path: name) }

  private func keep(_ schedule: Schedule, _ gateway: Gateway) async {
    _ = try? await gateway.keep(schedule.bytes, as: resource(schedule.name))
  }
}

extension Schedule {
  /// As it is kept.
  fileprivate var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      if isMoved { json.field("rule", rule.description) }
      json.field("paused", isPaused)
      json.field("anchor_ms", anchor.milliseconds)
      if let lastRun { json.field("last_run_ms", lastRun.milliseconds) }
      json.field("runs", Int64(clamping: runs))
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  fileprivate init?(_ bytes: [UInt8], _ name: String, standard: ScheduleRule) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 2, maximumValues: 16).root,
      let anchor = root["anchor_ms"]?.int64, let runs = root["runs"]?.int64, runs >= 0
    else { return nil }
    let rule = root["rule"]?.string.flatMap { try? ScheduleRule($0) }
    let lastRun = root["last_run_ms"]?.int64.map { Timestamp(milliseconds: $0) }
    let schedule = try? Schedule(
      name, standard: standard, rule: rule, isPaused: root["paused"]?.bool ?? false,
      anchor: Timestamp(milliseconds: anchor), lastRun: lastRun, runs: UInt64(runs))
    guard let schedule else { return nil }
    self = schedule
  }
}
