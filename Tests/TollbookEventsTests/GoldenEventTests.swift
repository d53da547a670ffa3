import SwiftProtobuf
import Testing
import TollbookEvents

// Made by `protoc --encode` from the text beside them, and so not by the code that reads them here. They are never
// made anew: a committed record decodes for ever.

/// An event as text and as it is stored. `all` has every kind of format 1 with its fields; what came later stands in
/// `newFields` and `newValues`.
struct GoldenEvent: Sendable, CustomTestStringConvertible {
  var kind: EventKind
  /// In protobuf's text format.
  var text: String
  var payload: [UInt8]

  var testDescription: String { kind.name }

  static let everything = all + newFields + newValues + corrections

  init(_ kind: EventKind, _ text: String, _ hexadecimal: String) {
    self.kind = kind
    self.text = text
    let digits = hexadecimal.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
    payload = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(digits[$0] * 16 + digits[$0 + 1])
    }
  }
}

@Suite struct GoldenEventTests {
  @Test(arguments: GoldenEvent.everything)
  func `a payload that was stored once decodes to the same event for ever`(
    golden: GoldenEvent
  ) throws {
    let event = try Event(tag: golden.kind.rawValue, bytes: golden.payload)

    #expect(event.kind == golden.kind)
    #expect(event == (try golden.expected()))
    #expect(event.payload == golden.payload)
  }

  @Test func `there is one of every kind, and kinds keep their tags`() {
    let first: [UInt8] = [
      1, 2, 3, 4, 17, 18, 19, 20, 21, 22, 33, 34, 35, 36, 37, 38, 50, 51, 65, 66, 67, 68,
    ]
    #expect(GoldenEvent.all.map(\.kind.rawValue).sorted() == first)
    let later: [UInt8] =
      [23, 39, 40, 41] + Array(52...63) + [69, 70, 71, 72, 80, 81, 82, 83, 90, 91, 92]
    #expect(EventKind.allCases.map(\.rawValue) == (first + later).sorted())
    let golden = Set(GoldenEvent.everything.map(\.kind))
    #expect(golden == Set(EventKind.allCases))
    for kind in EventKind.allCases { #expect(EventKind(name: kind.name) == kind) }
    #expect(EventKind(name: "fetchStarted") == nil)
  }

  /// Each field has its own number: what is new takes nothing from what was there before, and gets nothing from it.
  @Test(arguments: GoldenEvent.newFields)
  func `new fields stand beside those of format 1`(new: GoldenEvent) throws {
    guard let old = GoldenEvent.all.first(where: { $0.kind == new.kind }) else { return }
    var both = new
    both.text = old.text + " " + new.text
    // As protobuf joins two messages of the same kind.
    both.payload = old.payload + new.payload

    let event = try Event(tag: new.kind.rawValue, bytes: both.payload)
    #expect(event == (try both.expected()))
    #expect(try Event(tag: new.kind.rawValue, bytes: event.payload) == event)
    #expect(event != (try old.expected()))
    #expect(event != (try new.expected()))
  }

  @Test(arguments: GoldenEvent.newValues)
  func `a value that format 1 did not know replaces none of the other fields`(
    new: GoldenEvent
  ) throws {
    let old = try #require(GoldenEvent.all.first { $0.kind == new.kind })
    let field = try #require(new.text.split(separator: ":").first)
    var both = old
    both.text = old.text.replacing(try Regex(field + #":\s+\S+"#), with: new.text)
    // Of a field that stands twice the last one holds.
    both.payload = old.payload + new.payload

    let event = try Event(tag: new.kind.rawValue, bytes: both.payload)
    #expect(event == (try both.expected()))
    #expect(event != (try old.expected()))
  }

  @Test(arguments: GoldenEvent.everything)
  func `a payload that is cut is refused or is another event`(golden: GoldenEvent) throws {
    let whole = try golden.expected()
    for length in golden.payload.indices {
      let event = try? Event(tag: golden.kind.rawValue, bytes: Array(golden.payload[..<length]))
      #expect(event != whole)
    }
  }

  @Test func `a tag that this version does not know is refused by its number`() {
    let known = Set(EventKind.allCases.map(\.rawValue))
    for tag in UInt8.min...UInt8.max where !known.contains(tag) {
      #expect(throws: EventCodingError.unknownKind(tag)) { try Event(tag: tag, bytes: []) }
    }
  }

  @Test(arguments: EventKind.allCases)
  func `a payload that is no message is refused by its kind`(kind: EventKind) {
    #expect(throws: EventCodingError.malformed(kind)) {
      try Event(tag: kind.rawValue, bytes: [0xff, 0xff, 0xff])
    }
  }

  @Test(arguments: GoldenEvent.everything)
  func `a field of a newer version is kept`(golden: GoldenEvent) throws {
    // Field 2000, a number.
    let newer = golden.payload + [0x80, 0x7d, 0x2a]
    let event = try Event(tag: golden.kind.rawValue, bytes: newer)
    #expect(event.payload == newer)
  }
}

extension Event {
  fileprivate init(tag: UInt8, bytes: [UInt8]) throws(EventCodingError) {
    self = try unsafe Event(tag: tag, payload: bytes.span.bytes)
  }
}

extension GoldenEvent {
  fileprivate func expected() throws -> Event {
    switch kind {
    case .fetchStarted: .fetchStarted(try read())
    case .fetchAttemptFailed: .fetchAttemptFailed(try read())
    case .fetchSucceeded: .fetchSucceeded(try read())
    case .fetchFailed: .fetchFailed(try read())
    case .cacheWritten: .cacheWritten(try read())
    case .cacheExpired: .cacheExpired(try read())
    case .cacheEvicted: .cacheEvicted(try read())
    case .readsTallied: .readsTallied(try read())
    case .tokensCharged: .tokensCharged(try read())
    case .reservationReleased: .reservationReleased(try read())
    case .chargeInDoubt: .chargeInDoubt(try read())
    case .chargeResolved: .chargeResolved(try read())
    case .balanceObserved: .balanceObserved(try read())
    case .spendRefused: .spendRefused(try read())
    case .credentialAdded: .credentialAdded(try read())
    case .credentialStatusChanged: .credentialStatusChanged(try read())
    case .serviceStarted: .serviceStarted(try read())
    case .serviceRecovered: .serviceRecovered(try read())
    case .cachePurged: .cachePurged(try read())
    case .bodiesPruned: .bodiesPruned(try read())
    case .snapshotTaken: .snapshotTaken(try read())
    case .logRestored: .logRestored(try read())
    case .entriesSwept: .entriesSwept(try read())
    case .windowObserved: .windowObserved(try read())
    case .jobQueued: .jobQueued(try read())
    case .jobStarted: .jobStarted(try read())
    case .jobProgressed: .jobProgressed(try read())
    case .jobFinished: .jobFinished(try read())
    case .accountOpened: .accountOpened(try read())
    case .accountClosed: .accountClosed(try read())
    case .accessKeyIssued: .accessKeyIssued(try read())
    case .accessKeyRevoked: .accessKeyRevoked(try read())
    case .budgetSet: .budgetSet(try read())
    case .budgetRemoved: .budgetRemoved(try read())
    case .webhookSet: .webhookSet(try read())
    case .webhookRemoved: .webhookRemoved(try read())
    case .alertRaised: .alertRaised(try read())
    case .alertCleared: .alertCleared(try read())
    case .notificationSent: .notificationSent(try read())
    case .notificationRequeued: .notificationRequeued(try read())
    case .credentialSet: .credentialSet(try read())
    case .credentialRemoved: .credentialRemoved(try read())
    case .credentialCooled: .credentialCooled(try read())
    case .poolSet: .poolSet(try read())
    case .requestBegun: .requestBegun(try read())
    case .requestAnswered: .requestAnswered(try read())
    case .requestsForgotten: .requestsForgotten(try read())
    case .chargeCorrected: .chargeCorrected(try read())
    case .invoicePosted: .invoicePosted(try read())
    }
  }

  private func read<Message: SwiftProtobuf.Message>() throws -> Message {
    try Message(textFormatString: text)
  }
}
