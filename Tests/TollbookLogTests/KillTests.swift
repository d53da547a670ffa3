import Foundation
import Glibc
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// A process that is killed while it appends.
@Suite struct KillTests {
  @Test(arguments: [1, 7, 60, 400])
  func `Law 3: what was acknowledged before a kill is there, at its place and once`(
    acknowledgements: Int
  ) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, acknowledgements = acknowledgements as Int] in
      try await Self.appendUntilKilled(in: path, after: acknowledgements)
    }

    let lines = try String(contentsOfFile: "\(path)/acknowledged", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: " ") }
    #expect(lines.count >= acknowledgements)
    let log = try folder.openLog()
    defer { log.close() }
    let events = try log.events()
    for line in lines {
      let position = try #require(Int(line[0]))
      try #require(position <= events.count)
      #expect(text(of: events[position - 1].event) == String(line[1]))
    }
    let texts = events.compactMap { text(of: $0.event) }
    #expect(texts.count == events.count)
    #expect(Set(texts).count == texts.count)
    // Nothing is there that was not submitted.
    for text in texts {
      let parts = text.split(separator: ".").compactMap { Int($0) }
      #expect(parts.count == 2 && (0..<8).contains(parts[0]) && (0..<10_000).contains(parts[1]))
    }
    // Of one caller, who waits for each answer, all up to the last are there.
    for caller in 0..<8 {
      let numbers = texts.filter { $0.hasPrefix("\(caller).") }
        .compactMap { Int($0.split(separator: ".")[1]) }
      #expect(numbers == Array(0..<numbers.count))
    }
    #expect(try LogVerifier(log).verify().damages == [])
    #expect(try await log.append([note("on")]).answer == UInt64(events.count) + 1)
  }

  /// Appends with eight callers, durably, writes down each answer, and dies in the middle of it.
  private static func appendUntilKilled(in path: String, after count: Int) async throws {
    let answers = open("\(path)/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var options = EventLog.Options.scratch
    options.unsafeWithoutSync = false
    let log = try EventLog(
      DataDirectory.own("\(path)/data", mode: .simulated), folds: [],
      time: ManualTime().source, options: options, fail: { _ in exit(1) })
    let counter = Counter()
    try await withThrowingTaskGroup { group in
      for caller in 0..<8 {
        group.addTask {
          for number in 0..<10_000 {
            let text = "\(caller).\(number)"
            let position = try await log.append([note(text)]).answer
            let line = Array("\(position) \(text)\n".utf8)
            guard write(answers, line, line.count) == line.count else { exit(1) }
            if await counter.next() == count { kill(getpid(), SIGKILL) }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  private actor Counter {
    private var count = 0

    func next() -> Int {
      count += 1
      return count
    }
  }
}
