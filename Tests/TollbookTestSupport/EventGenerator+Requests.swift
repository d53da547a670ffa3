import Foundation
import TollbookEvents
import TollbookLog
import TollbookViews

extension EventGenerator {
  /// Something happens to a request with an idempotency key, or one is begun.
  mutating func moveSomeRequest() {
    guard formats != .first else { return }
    switch random.int(0...9) {
    case 0...4: beginRequest()
    case 5...7: answerRequest()
    default: forgetRequests()
    }
  }

  /// The keys of requests that a condition holds for, in their order.
  private func keys(where condition: (LogModel.Request) -> Bool) -> [[UInt8]] {
    model.requests.filter { condition($0.value) }.keys
      .sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// A new one, or one that was not answered.
  private mutating func beginRequest() {
    let again = keys { $0.state != .answered }
    let key = again.isEmpty || random.chance(70) ? random.bytes(32) : random.pick(again)
    var event = RequestBegun()
    event.key = Data(key)
    event.request = Data(random.bytes(32))
    event.account = random.pick(Self.accounts)
    event.accessKey = random.pick(["", "key-1"])
    event.begunMs = time.milliseconds - random.int64(0...900)
    event.keepUntilMs = random.chance(5) ? -1 : event.begunMs + random.int64(1...9_000_000)
    emit(.requestBegun(event))
    let before = model.requests[key]
    model.requests[key] = LogModel.Request(
      state: .begun, request: [UInt8](event.request),
      since: before?.since ?? Timestamp(milliseconds: event.begunMs),
      keepUntil: Timestamp(milliseconds: event.keepUntilMs), body: [],
      fetches: before?.fetches ?? [])
  }

  private mutating func answerRequest() {
    let begun = keys { $0.state == .begun }
    guard !begun.isEmpty else { return }
    let key = random.pick(begun)
    var event = RequestAnswered()
    event.key = Data(key)
    if random.chance(70) {
      event.status = 200
      if random.chance(80) {
        let body = Body(random.bytes(random.int(1...300)))
        event.body = Data(body.digest)
        step.bodies.append(body)
      }
    }
    emit(.requestAnswered(event))
    model.requests[key]?.state = event.status == 0 ? .failed : .answered
    model.requests[key]?.body = [UInt8](event.body)
  }

  /// Forgets some, whether or not their time is over.
  private mutating func forgetRequests() {
    let all = keys { _ in true }
    guard !all.isEmpty else { return }
    let some = Array(all.shuffled(using: &random).prefix(random.int(1...3)))
    let bodies = some.compactMap { model.requests[$0]?.body }.filter { !$0.isEmpty }
    var event = RequestsForgotten()
    event.keys = some.map { Data($0) }
    event.bodies = bodies.map { Data($0) }
    event.storedBytes = UInt64(bodies.count * 80)
    emit(.requestsForgotten(event))
    for key in some { model.requests[key] = nil }
    step.prunedBodies += bodies
  }

  /// The idempotency key of a demand: of a request that is under way, or of none that is known.
  mutating func someIdempotencyKey() -> Data {
    let begun = keys { $0.state == .begun }
    return Data(begun.isEmpty || random.chance(20) ? random.bytes(32) : random.pick(begun))
  }

  /// Notes that a fetch was begun for the requests of its demands.
  mutating func note(_ demands: [Demand], begun fetch: Position) {
    for key in Set(demands.map { [UInt8]($0.idempotency) })
    where model.requests[key]?.state == .begun {
      model.requests[key]?.fetches.append(fetch)
    }
  }
}
