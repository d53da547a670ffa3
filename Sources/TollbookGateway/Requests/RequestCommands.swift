import Foundation
package import TollbookEvents
import TollbookLog
import TollbookViews

/// How a request with an idempotency key may go on.
package enum RequestBeginning: Sendable {
  /// It is made, for the first time or anew.
  case begun(RequestMark)
  /// It was answered: with the answer that is kept under this digest; empty: it is not kept.
  case answered(body: [UInt8])
  /// The key was used for another request.
  case otherRequest
  /// What earlier tries have cost is in doubt: that of these fetches.
  case inDoubt([Position])
}

/// Take on a request with an idempotency key, unless it has an answer, or its cost is in doubt.
struct BeginRequest: Sendable {
  /// So long a repeat gets the same answer, in milliseconds.
  static let keeping: Int64 = 86_400_000

  /// SHA-256 of the idempotency key and of whose it is.
  var key: [UInt8]
  /// SHA-256 of what is asked.
  var request: [UInt8]
  var account: String
  var accessKey: String
  var now: Timestamp

  func decide(
    _ requests: RequestsView, _ ledger: LedgerView, _ index: EventIndex, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) -> Decision<RequestBeginning> {
    var mark = RequestMark(key: key)
    var decision = Decision(answer: RequestBeginning.begun(mark))
    if let known = try requests.request(key, in: state) {
      if known.keepUntil < now {
        decision = try ForgetRequests(now: now).forgetting([(key, known)], reader, state)
          .answering(.begun(mark))
      } else {
        let isOther = known.request != request
        switch known.state {
        case .answered:
          return Decision(answer: isOther ? .otherRequest : .answered(body: known.body))
        case .begun, .failed:
          // What has begun no call may be asked otherwise.
          if isOther, !known.fetches.isEmpty || known.state == .begun {
            return Decision(answer: .otherRequest)
          }
        }
        let past = try PastCalls(of: known.fetches, ledger, index, reader, state)
        guard past.inDoubt.isEmpty else { return Decision(answer: .inDoubt(past.inDoubt)) }
        (mark.since, mark.bought) = (known.since, past.bought)
        decision.answer = .begun(mark)
      }
    }
    var event = RequestBegun()
    event.key = Data(key)
    event.request = Data(request)
    event.account = account
    event.accessKey = accessKey
    event.begunMs = now.milliseconds
    event.keepUntilMs = now.advanced(byMilliseconds: Self.keeping).milliseconds
    decision.events.append(.requestBegun(event))
    return decision
  }
}

/// What became of the calls of earlier tries.
private struct PastCalls {
  var bought: [RequestMark.BoughtCall] = []
  /// Whose cost is in doubt.
  var inDoubt: [Position] = []

  init(
    of fetches: [Position], _ ledger: LedgerView, _ index: EventIndex, _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) {
    for fetch in fetches {
      var call = RequestMark.BoughtCall(fetch: fetch, operation: "", resources: [])
      var isBought = false
      var isInDoubt = false
      for position in try index.positions(ofFetch: fetch, in: state) {
        switch try reader.event(at: position, in: state)?.event {
        case .fetchStarted(let event)?:
          (call.operation, call.resources) = (event.operation, Set(event.resources))
        case .fetchSucceeded?: isBought = true
        case .chargeInDoubt(let event)?:
          let holds = try ledger.holds(fetch: fetch, attempt: event.attempt, in: state)
          isInDoubt = isInDoubt || holds.contains { $0.state == .inDoubt }
        default: break
        }
      }
      if isBought { bought.append(call) }
      if isInDoubt { inDoubt.append(fetch) }
    }
  }
}

/// Note how a request with an idempotency key has ended.
struct AnswerRequest: Sendable {
  var key: [UInt8]
  /// Of HTTP; 0: there is nothing to repeat.
  var status: UInt32
  /// As a repeat gets it; nil: it is not kept.
  var body: Body?

  func decide(
    _ requests: RequestsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Void> {
    guard try requests.request(key, in: state)?.state == .begun else { return Decision(answer: ()) }
    var event = RequestAnswered()
    event.key = Data(key)
    event.status = status
    event.body = Data(body?.digest ?? [])
    return Decision(
      events: [.requestAnswered(event)], bodies: body.map { [$0] } ?? [], answer: ())
  }
}

/// Forget requests whose time to be kept is over, and remove their answers.
struct ForgetRequests: Sendable {
  /// The most requests in one decision.
  static let batch = 500
  var now: Timestamp

  /// - Returns: how many it forgets.
  func decide(
    _ requests: RequestsView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Int> {
    let due = try requests.due(before: now, limit: Self.batch, in: state)
    guard !due.isEmpty else { return Decision(answer: 0) }
    return try forgetting(due, reader, state).answering(due.count)
  }

  func forgetting(
    _ due: [(key: [UInt8], request: RequestRow)], _ reader: LogReader,
    _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Void> {
    let bodies = due.map(\.request.body).filter { !$0.isEmpty }
    var event = RequestsForgotten()
    event.keys = due.map { Data($0.key) }
    event.bodies = bodies.map { Data($0) }
    for body in bodies {
      // One that was not restored takes nothing.
      event.storedBytes += UInt64(try reader.storedBytes(ofBody: body, in: state) ?? 0)
    }
    return Decision(events: [.requestsForgotten(event)], prunedBodies: bodies, answer: ())
  }
}

extension Decision {
  /// The same with another answer.
  fileprivate func answering<Other: Sendable>(_ answer: Other) -> Decision<Other> {
    Decision<Other>(events: events, bodies: bodies, prunedBodies: prunedBodies, answer: answer)
  }
}
