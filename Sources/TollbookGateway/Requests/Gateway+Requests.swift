package import TollbookLog
import TollbookViews

// Requests with idempotency keys: made once, and repeated from the log for a day.

extension Gateway {
  /// Takes on a request, unless it has an answer, or its cost is in doubt. Of one key only one may be under way.
  ///
  /// - Parameters:
  ///   - key: SHA-256 of the idempotency key and of whose it is.
  ///   - request: SHA-256 of what is asked.
  package func beginRequest(
    _ key: [UInt8], _ request: [UInt8], by principal: Principal
  ) async throws(LogError) -> RequestBeginning {
    let command = BeginRequest(
      key: key, request: request, account: principal.account, accessKey: principal.accessKey,
      now: log.time.now())
    let (ledger, index, reader) = (ledger, log.index, log.reader)
    let requests = RequestsView(log)
    return try await log.decide { (state, _) throws(LogError) in
      try command.decide(requests, ledger, index, reader, state)
    }.answer
  }

  /// Keeps the answer to a request that was taken on. It may be told when this returns.
  ///
  /// - Parameters:
  ///   - status: of HTTP; 0: there is nothing to repeat, and a repeat is made anew.
  ///   - answer: as a repeat gets it, in any form that is no other request's; nil: it is not kept.
  package func endRequest(
    _ key: [UInt8], status: Int, answer: [UInt8]?
  ) async throws(LogError) {
    let command = AnswerRequest(
      key: key, status: UInt32(clamping: status), body: await Self.body(answer))
    let requests = RequestsView(log)
    _ = try await log.decide { (state, _) throws(LogError) in
      try command.decide(requests, state)
    }
  }

  /// Compresses: work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private static func body(_ answer: [UInt8]?) async -> Body? { answer.map { Body($0) } }

  /// The answer to a request, as it was kept.
  ///
  /// - Returns: nil if it is not kept any more.
  package func keptAnswer(_ digest: [UInt8]) throws(LogError) -> Body? {
    let reader = log.reader
    return try log.read { (transaction) throws(LogError) in
      try reader.body(digest: digest, in: transaction)
    }
  }

  /// Forgets requests whose time to be kept is over.
  package func forgetRequests() async {
    let requests = RequestsView(log)
    let reader = log.reader
    while !Task.isCancelled {
      let command = ForgetRequests(now: log.time.now())
      let isDue = try? log.read { (transaction) throws(LogError) in
        try !requests.due(before: command.now, limit: 1, in: transaction).isEmpty
      }
      guard isDue == true else { return }
      let forgotten = try? await log.decide { (state, _) throws(LogError) in
        try command.decide(requests, reader, state)
      }
      guard let forgotten, forgotten.answer == ForgetRequests.batch else { return }
    }
  }
}
