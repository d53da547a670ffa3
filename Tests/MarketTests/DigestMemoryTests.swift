import Testing

@testable import Market

@Suite struct DigestMemoryTests {
  @Test func `what is asked for again is kept, and never more than two generations`() {
    let memory = DigestMemory<Int>(most: 4)
    memory.keep(0, of: [0])
    for number in 1..<100 {
      memory.keep(number, of: [UInt8(number)])
      #expect(memory.value(of: [0]) == 0)
      #expect(memory.count <= 8)
    }
    #expect(memory.value(of: [1]) == nil)
    memory.keep(7, of: [])
    #expect(memory.value(of: []) == nil)
  }
}
