import Testing
import TollbookEvents
import TollbookGateway
import TollbookTestSupport
import TollbookUpstreams

@testable import DealScout

/// The queue of notices, with time that stands still.
@Suite struct NotificationQueueTests {
  private typealias Samples = NotificationSamples

  private let start = Samples.now

  private func delivery(
    _ id: String, of account: String = "acme", channel: String = "hook",
    timing: NotificationRule.Timing = .atOnce
  ) throws -> NotificationDelivery {
    NotificationDelivery(
      NotificationNotice(
        channel: channel, rule: "r", timing: timing,
        fact: try Samples.deal("v1|\(id)|0", of: account)), id: id, queued: start)
  }

  private func failed(_ status: Int = 500, retryAfter: Int64? = nil) -> NotificationQueue.Ending {
    .failed(MessageReceipt(status: status, detail: "no", retryAfter: retryAfter))
  }

  @Test func `what is told at once goes each in a message of its own, one at a time`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1")))
    #expect(queue.add(try delivery("2")))
    #expect(queue.add(try delivery("3", channel: "mail")))
    let first = try #require(queue.take(at: start))
    #expect(first.deliveries.map(\.id) == ["1"])
    // The channel is at work; another one is not.
    #expect(queue.take(at: start)?.deliveries.map(\.id) == ["3"])
    #expect(queue.take(at: start) == nil)
    let sent = queue.end(first, .taken(status: 204), at: start)
    #expect(sent.map(\.state) == [.sent])
    #expect(sent.first?.ended == start)
    #expect(queue.take(at: start)?.deliveries.map(\.id) == ["2"])
  }

  @Test func `the same notice is queued once`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1")))
    #expect(!queue.add(try delivery("1")))
    #expect(queue.count(of: "acme") == 1)
  }

  @Test func `what waits for the hour comes together in one message, and only then`() throws {
    let queue = HeldQueue()
    for number in 0..<60 {
      #expect(queue.add(try delivery("\(number)", timing: .hourly)))
    }
    #expect(queue.add(try delivery("at once")))
    #expect(queue.take(at: start)?.deliveries.map(\.id) == ["at once"])
    let hourly = HeldQueue()
    for number in 0..<60 {
      #expect(hourly.add(try delivery("\(number)", timing: .hourly)))
    }
    #expect(hourly.take(at: start.advanced(byMilliseconds: 86_400_000)) == nil)
    hourly.release(at: start)
    let batch = try #require(hourly.take(at: start))
    #expect(batch.deliveries.count == 60)
    #expect(batch.digest.notices.count == 50)
    #expect(batch.digest.untold == 10)
    #expect(hourly.end(batch, .taken(status: 200), at: start).count == 60)
    #expect(hourly.isEmpty)
  }

  @Test func `after each failure it waits longer, and after the last try it is given up`() throws {
    let queue = HeldQueue()
    var now = start
    #expect(queue.add(try delivery("1")))
    for pause in Gateway.deliveryPauses {
      let batch = try #require(queue.take(at: now))
      let left = queue.end(batch, failed(), at: now)
      #expect(left.map(\.state) == [.waiting])
      #expect(queue.take(at: now.advanced(byMilliseconds: pause - 1)) == nil)
      now = now.advanced(byMilliseconds: pause)
    }
    let last = try #require(queue.take(at: now))
    let dead = try #require(queue.end(last, failed(), at: now).first)
    #expect(dead.state == .givenUp)
    #expect(dead.attempts == Gateway.deliveryPauses.count + 1)
    #expect(dead.status == 500)
    #expect(queue.isEmpty)
  }

  @Test func `the try that went well is counted, as those before it are`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1")))
    let first = try #require(queue.take(at: start))
    #expect(queue.end(first, failed(), at: start).map(\.attempts) == [1])
    let due = start.advanced(byMilliseconds: Gateway.deliveryPauses[0])
    let second = try #require(queue.take(at: due))
    #expect(queue.end(second, .taken(status: 200), at: due).map(\.attempts) == [2])
  }

  @Test func `the pause is as long as the receiver asks for, and no longer than a day`() throws {
    for (asked, pause) in [(1_000, 10_000), (90_000, 90_000), (999_000_000, 86_400_000)]
      as [(Int64, Int64)]
    {
      let queue = HeldQueue()
      #expect(queue.add(try delivery("1")))
      #expect(queue.add(try delivery("2")))
      let batch = try #require(queue.take(at: start))
      _ = queue.end(batch, failed(429, retryAfter: asked), at: start)
      // The other one of the channel is left alone as long.
      #expect(queue.take(at: start.advanced(byMilliseconds: pause - 1)) == nil)
      #expect(queue.take(at: start.advanced(byMilliseconds: pause)) != nil)
    }
  }

  @Test func `a channel that fails holds up no other`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1")))
    #expect(queue.add(try delivery("2")))
    #expect(queue.add(try delivery("3", of: "other")))
    let batch = try #require(queue.take(at: start))
    _ = queue.end(batch, failed(), at: start)
    let next = queue.take(at: start)
    #expect(next?.place.account == "other")
    #expect(queue.take(at: start) == nil)
  }

  @Test func `a few messages are under way at once, and the next goes when one has ended`() throws {
    let queue = HeldQueue()
    for number in 0..<9 { #expect(queue.add(try delivery("\(number)", channel: "c\(number)"))) }
    var taken: [NotificationQueue.Batch] = []
    while let batch = queue.take(at: start) { taken.append(batch) }
    #expect(taken.count == NotificationQueue.messagesAtOnce)
    _ = queue.end(taken[0], .taken(status: 200), at: start)
    #expect(queue.take(at: start) != nil)
    #expect(queue.take(at: start) == nil)
  }

  @Test func `what will never be taken is given up at once`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1")))
    let batch = try #require(queue.take(at: start))
    let ended = queue.end(batch, .refused("nobody there"), at: start)
    #expect(ended.map(\.state) == [.givenUp])
    #expect(ended.first?.detail == "nobody there")
  }

  @Test func `of one account a thousand wait, and of another one still some`() throws {
    let queue = HeldQueue()
    for number in 0..<NotificationQueue.mostWaiting {
      #expect(queue.add(try delivery("\(number)", channel: "c\(number % 7)")))
    }
    #expect(NotificationQueue.mostWaiting == 1_000)
    #expect(!queue.add(try delivery("more")))
    #expect(queue.add(try delivery("more", of: "other")))
    let batch = try #require(queue.take(at: start))
    _ = queue.end(batch, .taken(status: 200), at: start)
    #expect(batch.place.account == "acme")
    #expect(queue.add(try delivery("more")))
  }

  @Test func `a clock that is set back a day holds nothing back for as long`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1")))
    let soon = queue.take(at: start.advanced(byMilliseconds: -60_000))
    #expect(soon == nil)
    #expect(queue.take(at: start.advanced(byMilliseconds: -2 * 86_400_000)) != nil)
  }

  @Test func `a listing's words are forgotten when the notice was sent, and after a day`() throws {
    let queue = HeldQueue()
    #expect(queue.add(try delivery("1", timing: .hourly)))
    #expect(queue.forgetListings(at: start.advanced(byMilliseconds: 86_400_000)).isEmpty)
    let late = start.advanced(byMilliseconds: 86_400_001)
    let changed = queue.forgetListings(at: late)
    #expect(changed.map(\.notice.fact.title) == ["v1|1|0"])
    #expect(queue.forgetListings(at: late).isEmpty)
    #expect(queue.add(try delivery("2")))
    let batch = try #require(queue.take(at: start))
    #expect(batch.deliveries.first?.notice.fact.title == "Widget 3000")
    let sent = queue.end(batch, .taken(status: 200), at: start)
    #expect(sent.first?.notice.fact.title == "v1|2|0")
  }

  @Test func `a message has the same id as long as it tells the same notices`() throws {
    func id(_ numbers: [Int]) throws -> String {
      let queue = HeldQueue()
      for number in numbers { _ = queue.add(try delivery("\(number)", timing: .hourly)) }
      queue.release(at: start)
      return try #require(queue.take(at: start)).id
    }
    #expect(try id([1, 2]) == id([1, 2]))
    #expect(try id([1, 2]) != id([1, 2, 3]))
    #expect(try id([1]) == "1")
  }

  @Test func `what is kept of a notice reads back the same`() throws {
    var facts = [try Samples.deal(), try Samples.drop(from: 46, to: 37)]
    facts.append(try .watchEnded("i", of: "acme", title: "W", url: nil, at: start))
    facts.append(
      try .budgetThreshold("b", of: "acme", window: "day", percent: 80, at: start))
    facts.append(try .alert("meter.low", of: "acme", number: 7, sentence: "low", at: start))
    for fact in facts {
      var delivery = NotificationDelivery(
        NotificationNotice(channel: "hook", rule: "r", timing: .hourly, fact: fact),
        id: "0123", queued: start)
      #expect(NotificationDelivery(delivery.bytes, id: "0123", of: "acme") == delivery)
      delivery.state = .givenUp
      delivery.attempts = 8
      delivery.status = 500
      delivery.detail = "no"
      delivery.ended = start
      #expect(NotificationDelivery(delivery.bytes, id: "0123", of: "acme") == delivery)
    }
    #expect(NotificationDelivery(Array("{}".utf8), id: "0123", of: "acme") == nil)
  }
}

/// A queue that stays where it is.
private final class HeldQueue {
  private var queue = NotificationQueue()

  var isEmpty: Bool { queue.isEmpty }

  func count(of account: String) -> Int { queue.count(of: account) }
  func add(_ delivery: NotificationDelivery) -> Bool { queue.add(delivery) }
  func release(at now: Timestamp) { queue.release(at: now) }
  func take(at now: Timestamp) -> NotificationQueue.Batch? { queue.take(at: now) }
  func forgetListings(at now: Timestamp) -> [NotificationDelivery] {
    queue.forgetListings(at: now)
  }
  func end(
    _ batch: NotificationQueue.Batch, _ ending: NotificationQueue.Ending, at now: Timestamp
  ) -> [NotificationDelivery] {
    queue.end(batch, ending, at: now)
  }
}
