import Testing

@testable import DealScout

/// What is made once, for who asks first.
@Suite struct OnceTests {
  private struct Failed: Error {}

  @Test func `who asks while it is made waits for it, and gets the same`() async throws {
    let once = Once<Int>()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let asking = (0..<3).map { number in
      Task {
        try await once.value {
          for await _ in gate { break }
          return number
        }
      }
    }
    open.yield()
    var made: Set<Int> = []
    for asked in asking { made.insert(try await asked.value) }
    #expect(made.count == 1)
    #expect(try await once.value { 7 } == made.first)
  }

  @Test func `what has failed is tried again for the next who asks, and what was made is not`()
    async throws
  {
    let once = Once<Int>()
    await #expect(throws: Failed.self) { try await once.value { throw Failed() } }
    #expect(try await once.value { 1 } == 1)
    #expect(try await once.value { throw Failed() } == 1)
  }
}
