import Logging
import Synchronization
import Testing
import TollbookTestSupport

@testable import tollbook

@Suite struct EndLimitTests {
  private final class Ends: Sendable {
    private let count = Mutex(0)
    var times: Int { count.withLock(\.self) }
    func note() { count.withLock { $0 += 1 } }
  }

  /// An hour: what is tested here is not the clock.
  private func limit(_ ends: Ends) -> EndLimit { EndLimit(seconds: 3_600) { ends.note() } }

  @Test func `the time counts from the beginning of the end, not before`() {
    let ends = Ends()
    let limit = limit(ends)
    limit.expire()
    #expect(ends.times == 0)
    limit.begin()
    limit.expire()
    #expect(ends.times == 1)
  }

  @Test func `an end that came in time is left alone, also one that begins after it`() {
    let ends = Ends()
    let limit = limit(ends)
    limit.begin()
    limit.lift()
    limit.expire()
    limit.begin()
    limit.expire()
    #expect(ends.times == 0)
  }

  @Test func `the end of a service begins to count at once, whatever hangs`() async throws {
    let folder = try TemporaryFolder()
    var loader = SettingsLoader()
    loader.flags = [.dataDirectory: "\(folder.path)/data", .port: "0"]
    loader.isSimulated = true
    let settings = try await loader.load()
    var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .critical
    let ends = Ends()
    let (ended, tell) = AsyncStream<Void>.makeStream()
    var server = Server(settings: settings, logger: logger)
    server.signals = []
    server.makeLimit = { _ in
      EndLimit(seconds: 0) {
        ends.note()
        tell.yield()
      }
    }
    try await server.run { running in
      await running.stop()
      // What hangs: the end waits for this, and only the limit ends it.
      for await _ in ended { break }
    }
    #expect(ends.times == 1)
  }

  @Test func `a process whose end hangs is ended with a status of its own`() async {
    await #expect(processExitsWith: .exitCode(75)) {
      EndLimit(seconds: 0).begin()
      // The end that never comes.
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
  }
}
