import TollbookTestSupport

extension Stand {
  /// Does something while the clocks go on for whoever sleeps, such as the answer to a wrong key.
  func whileTimePasses<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let time = time
    let clock = Task {
      while !Task.isCancelled {
        if time.sleeperCount > 0 { time.advance(byMilliseconds: 2_000) }
        await Task.yield()
      }
    }
    defer { clock.cancel() }
    return try await body()
  }
}
