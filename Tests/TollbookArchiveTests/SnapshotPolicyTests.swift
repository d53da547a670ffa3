import Foundation
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookArchive

@Suite struct SnapshotPolicyTests {
  private static let day: Int64 = 86_400_000

  /// A snapshot of event 100, of a moment ago.
  private func isDue(
    _ policy: SnapshotPolicy, head: Position, after time: Int64, notes: UInt64 = 1
  ) -> Bool {
    policy.isDue(
      since: .init(position: 100, time: .testStart, notes: notes), head: head,
      now: Timestamp.testStart.advanced(byMilliseconds: time))
  }

  @Test func `one is due after so many events`() {
    let policy = SnapshotPolicy(events: 10, interval: Self.day)
    #expect(!isDue(policy, head: 110, after: 0))
    #expect(isDue(policy, head: 111, after: 0))
    #expect(isDue(policy, head: 110, after: 0, notes: 0))
  }

  @Test func `one is due after so much time, if something has happened`() {
    let policy = SnapshotPolicy(events: 1_000, interval: Self.day)
    #expect(!isDue(policy, head: 102, after: Self.day - 1))
    #expect(isDue(policy, head: 102, after: Self.day))
    // Only that the last one was taken.
    #expect(!isDue(policy, head: 101, after: 10 * Self.day))
    #expect(!isDue(policy, head: 100, after: 10 * Self.day, notes: 0))
    // The clock went back.
    #expect(!isDue(policy, head: 150, after: -Self.day))
  }

  @Test func `a reason that is switched off is none`() {
    #expect(!isDue(SnapshotPolicy(events: 0, interval: Self.day), head: 1_000_000, after: 1))
    #expect(!isDue(SnapshotPolicy(events: 1_000, interval: 0), head: 200, after: 99 * Self.day))
    #expect(!isDue(SnapshotPolicy(events: 0, interval: 0), head: .max, after: 99 * Self.day))
  }

  @Test func `the defaults are a million events, a day and a week of them`() {
    #expect(SnapshotPolicy() == SnapshotPolicy(events: 1_000_000, interval: Self.day, kept: 7))
  }

  @Test func `they are taken by themselves, and the oldest make room`() async throws {
    let lab = try SnapshotLab(seed: 31)
    let log = try lab.open()
    defer { log.close() }
    let keeper = SnapshotKeeper(
      log: log, policy: SnapshotPolicy(events: 50, interval: 0, kept: 2))
    try await lab.append(40, to: log)
    guard case .notDue = await keeper.takeIfDue() else {
      Issue.record("taken too early")
      return
    }
    let mine = try await log.takeSnapshot()
    var taken: [String] = []
    var removed: [String] = []
    for _ in 0..<4 {
      try await append(55, to: log)
      guard case .taken(let snapshot, let old) = await keeper.takeIfDue() else {
        Issue.record("not taken")
        return
      }
      #expect(snapshot.manifest.isAutomatic)
      #expect(snapshot.manifest.bodies == nil)
      taken.append(snapshot.file)
      removed += old
      guard case .notDue = await keeper.takeIfDue() else {
        Issue.record("taken although nothing has happened")
        return
      }
    }
    #expect(removed == Array(taken.dropLast(2)))
    let shelf = SnapshotShelf(directory: lab.path("data"))
    #expect(try shelf.list().map(\.file) == [mine.file] + taken.suffix(2))
  }

  /// Events that name no position: the generator does not know of those that snapshots have added.
  private func append(_ count: Int, to log: EventLog) async throws {
    for number in 0..<count {
      var event = CredentialAdded()
      event.credential = "credential \(number % 7)"
      try await log.append([.credentialAdded(event)])
    }
  }

  @Test func `pruning keeps the newest, what was taken by hand, and what the log rests on`()
    async throws
  {
    let lab = try SnapshotLab(seed: 33)
    let base = try await based(in: lab)
    let log = try lab.open("restored")
    defer { log.close() }
    var automatic: [String] = []
    for _ in 0..<3 {
      try await append(5, to: log)
      automatic.append(try await log.takeSnapshot(SnapshotRequest(isAutomatic: true)).file)
    }
    try await append(5, to: log)
    let mine = try await log.takeSnapshot().file
    let shelf = SnapshotShelf(directory: lab.path("restored"))
    try Data("tollbook snapshot 1\nrubbish".utf8)
      .write(to: URL(fileURLWithPath: "\(shelf.folder)/broken.snapshot"))

    #expect(SnapshotShelf.old(try shelf.list(), keep: 1).map(\.file) == Array(automatic.prefix(2)))
    #expect(try shelf.prune(keep: 1).map(\.file) == Array(automatic.prefix(2)))
    #expect(try shelf.prune(keep: 0, takenByHand: true).map(\.file) == [automatic[2], mine])
    #expect(try shelf.list().map(\.file) == ["broken.snapshot", base])
  }

  /// A directory that rests on a snapshot, which was taken automatically.
  private func based(in lab: SnapshotLab) async throws -> String {
    let log = try lab.open()
    defer { log.close() }
    try await lab.append(30, to: log)
    let taken = try await log.takeSnapshot(SnapshotRequest(isAutomatic: true))
    try FileManager.default.copyItem(atPath: taken.path, toPath: lab.path("a.snapshot"))
    return try #require(try lab.restore(snapshot: "a.snapshot").base).snapshot
  }
}
