import Testing

@testable import Extraction

@Suite("parts on their way to a client") struct PartRelayTests {
  @Test func `all parts come in their order, and then the end`() async {
    let relay = PartRelay(limit: 4)
    let writer = Task {
      for number in 0..<1_000 { await relay.write([UInt8(truncatingIfNeeded: number)]) }
      relay.end()
    }
    var read: [UInt8] = []
    while let part = await relay.next() { read += part }
    await writer.value
    #expect(read == (0..<1_000).map { UInt8(truncatingIfNeeded: $0) })
  }

  @Test func `who writes faster waits for the reader`() async {
    let relay = PartRelay(limit: 10)
    await relay.write([UInt8](repeating: 1, count: 10))
    let second = Task { await relay.write([2]) }
    let third = Task {
      await second.value
      return true
    }
    #expect(await relay.next()?.count == 10)
    #expect(await third.value)
    #expect(await relay.next() == [2])
  }

  @Test func `when the reader has gone, nothing is kept and nobody waits`() async {
    let relay = PartRelay(limit: 1)
    let writer = Task { for _ in 0..<100 { await relay.write([1, 2, 3]) } }
    relay.leave()
    await writer.value
    relay.end()
    #expect(await relay.next() == nil)
  }
}
