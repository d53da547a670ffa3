import Bytes
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@Suite struct RecordTests {
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `every event of a history is read as it was written`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    var generator = EventGenerator(seed: seed)
    var written: [RecordedEvent] = []
    var bodies: [Body] = []
    while generator.head < 150 {
      time.advance(byMilliseconds: 100_000)
      let step = generator.next(at: time.now)
      let first = try await log.append(step.events, bodies: step.bodies).answer
      written += step.events.enumerated().map {
        RecordedEvent(position: first + UInt64($0), time: time.now, event: $1)
      }
      bodies += step.bodies
    }

    #expect(try log.events() == written)
    try log.read { (transaction) throws(LogError) in
      for event in written {
        #expect(try log.reader.event(at: event.position, in: transaction) == event)
        let record = try log.reader.record(at: event.position, in: transaction)
        #expect(record == Record.encode(event.event, time: event.time))
      }
      for body in bodies {
        #expect(try log.reader.body(digest: body.digest, in: transaction) == body)
      }
      #expect(try log.reader.event(at: log.head + 1, in: transaction) == nil)
      #expect(try log.reader.body(digest: Body([1]).digest, in: transaction) == nil)
    }
  }

  /// Tag, time, payload, CRC-32C: written down once, and never made anew.
  @Test func `a record that was stored once decodes to the same event for ever`() throws {
    let bytes: [UInt8] =
      [0x41]
      + [0x00, 0x00, 0x01, 0xa1, 0xfd, 0x1e, 0x8c, 0x00]
      + [0x0a, 0x05, 0x30, 0x2e, 0x31, 0x2e, 0x30, 0x10, 0x01]
      + [0x56, 0xe9, 0xcc, 0x6a]
    var event = ServiceStarted()
    event.version = "0.1.0"
    event.simulated = true
    let expected = RecordedEvent(
      position: 9, time: .testStart, event: .serviceStarted(event))

    #expect(Record.encode(expected.event, time: expected.time) == bytes)
    #expect(try Self.decode(bytes, at: 9) == expected)
  }

  @Test func `a record that is cut is refused at its position`() throws {
    let bytes = Record.encode(note("some text"), time: .testStart)
    for length in bytes.indices {
      let damage = #expect(throws: Damage.self) {
        try Self.decode(Array(bytes[..<length]), at: 77)
      }
      #expect(damage?.position == 77)
      #expect(damage?.table == LogTables.eventsName)
    }
  }

  @Test func `a record of a kind that this version does not know says so`() throws {
    var bytes = Array(Record.encode(note("x"), time: .testStart).dropLast(4))
    bytes[0] = 200
    bytes.append(bigEndian: crc32c(bytes.span))
    let damage = #expect(throws: Damage.self) { try Self.decode(bytes, at: 1) }
    #expect(damage?.problem == "an event of kind 200, which this version does not know")
  }

  private static func decode(
    _ bytes: [UInt8], at position: Position
  ) throws(Damage) -> RecordedEvent {
    try unsafe Record.decode(bytes.span.bytes, at: position)
  }

  @Test func `a body is stored once, and is what was sent`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog()
    defer { log.close() }
    let contents = [
      [], [1], Array("{\"asin\":\"B09T2ZLMHB\"}".utf8), [UInt8](repeating: 7, count: 200_000),
    ]
    for content in contents + contents {
      try await log.append([note("x")], bodies: [Body(content)])
    }
    try log.read { (transaction) throws(LogError) in
      for content in contents {
        let body = try log.reader.body(digest: Body(content).digest, in: transaction)
        #expect((try? body?.content()) == content)
      }
    }
    #expect(try LogVerifier(log).verify().bodies == 4)
  }
}
