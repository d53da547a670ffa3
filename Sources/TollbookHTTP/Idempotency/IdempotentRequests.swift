import Hummingbird
import Synchronization
import TollbookGateway
import TollbookLog

/// Makes requests with idempotency keys once: a repeat joins the one that is under way, or gets its answer again.
///
/// 1. What is to be repeated is in the log before anybody is told it. Where the log cannot take it, it is told all the
///    same, and a repeat is made anew.
/// 2. A request goes on when its client hangs up: he may ask for the answer again.
/// 3. One that fails is made anew, and what it has bought by then is not bought again. So is one whose answer is too long
///    to be kept: it is told all the same.
/// 4. While it is in doubt what it has cost, it is not made anew.
final class IdempotentRequests: Sendable {
  private enum Outcome: Sendable {
    case answered(KeptAnswer)
    case failed(any Error)
  }

  /// How a request stands to those that are under way.
  private enum Place: Sendable {
    case first
    case joined(Outcome)
    case other
  }

  private struct UnderWay {
    var digest: [UInt8]
    var waiting: [CheckedContinuation<Place, Never>] = []
  }

  private let gateway: Gateway
  /// An answer above that is told and not kept, in bytes.
  private let mostBytes: Int
  private let underWay = Mutex<[[UInt8]: UnderWay]>([:])

  init(_ gateway: Gateway, mostBytes: Int) {
    self.gateway = gateway
    self.mostBytes = mostBytes
  }

  /// How many wait for the answer to one that is under way. Each has a connection, and of those there are only so many.
  var waitingCount: Int { underWay.withLock { $0.values.reduce(0) { $0 + $1.waiting.count } } }

  /// Answers a request, or repeats the answer that its key has got before.
  ///
  /// - Parameter limit: the longest body, in bytes.
  func answer(
    _ request: Request, key: String, atMost limit: Int, _ context: TollbookContext,
    _ handler: @escaping Handler
  ) async throws -> Response {
    guard let key = IdempotencyKey(key, of: context.principal)?.digest else {
      throw Problem(
        .invalidParameter,
        "an idempotency key has 1 to \(IdempotencyKey.mostBytes) printable characters of ASCII",
        field: "Idempotency-Key")
    }
    var request = request
    let body = try await collectedBody(of: request, limit: limit)
    request.body = .init(buffer: ByteBuffer(bytes: body))
    let digest = Self.digest(of: request, body)
    switch await place(of: key, digest) {
    case .other: throw Self.otherRequest
    case .joined(.answered(let answer)): return answer.replayed
    case .joined(.failed(let error)): throw error
    case .first: break
    }
    // A task of its own, that does not end with the client.
    let making = Task { [request] in
      let outcome = await ClientPresence.$current.withValue(nil) {
        await make(request, key, digest, context, handler)
      }
      leave(key, outcome)
      return outcome
    }
    switch await making.value {
    case .answered(let answer): return answer.response
    case .failed(let error): throw error
    }
  }

  /// SHA-256 of what a request asks: of its method, path and query, body, and of what in its header changes the answer.
  private static func digest(of request: Request, _ body: [UInt8]) -> [UInt8] {
    let fields = [HeaderName.accept, .prefer, .tags].map { request.headers[$0] ?? "" }
    let texts = [request.method.rawValue, request.uri.description] + fields
    return IdempotencyKey.digest(of: texts.map { Array($0.utf8) } + [body])
  }

  private static let otherRequest = Problem(
    .keyReused, "use another key for what is not the same request in every byte",
    field: "Idempotency-Key")

  /// Waits for the one that is under way, if there is one.
  private func place(of key: [UInt8], _ digest: [UInt8]) async -> Place {
    await withCheckedContinuation { continuation in
      let place: Place? = underWay.withLock { underWay in
        guard let found = underWay[key] else {
          underWay[key] = UnderWay(digest: digest)
          return .first
        }
        guard found.digest == digest else { return .other }
        underWay[key]?.waiting.append(continuation)
        return nil
      }
      if let place { continuation.resume(returning: place) }
    }
  }

  private func leave(_ key: [UInt8], _ outcome: Outcome) {
    let waiting = underWay.withLock { $0.removeValue(forKey: key)?.waiting ?? [] }
    for continuation in waiting { continuation.resume(returning: .joined(outcome)) }
  }

  private func make(
    _ request: Request, _ key: [UInt8], _ digest: [UInt8], _ context: TollbookContext,
    _ handler: Handler
  ) async -> Outcome {
    do {
      var context = context
      switch try await gateway.beginRequest(key, digest, by: context.principal) {
      case .otherRequest: throw Self.otherRequest
      case .inDoubt(let fetches): throw Self.inDoubt(fetches)
      case .answered(let body): return .answered(try kept(body))
      case .begun(let mark): context.principal.request = mark
      }
      do {
        let answer = try await KeptAnswer.collecting(try await handler(request, context))
        await end(key, answer)
        return .answered(answer)
      } catch {
        // Should it not be noted, a repeat finds it under way before this process began, and is made anew too.
        try? await gateway.endRequest(key, status: 0, answer: nil)
        return .failed(error)
      }
    } catch { return .failed(error) }
  }

  /// Keeps an answer. One that says that Tollbook or an upstream cannot at the moment is none to repeat, nor is one that is
  /// too long.
  private func end(_ key: [UInt8], _ answer: KeptAnswer) async {
    let code = answer.status.code
    let isFinal = code < 500 && answer.status != .tooManyRequests
    let isKept = isFinal && answer.content.readableBytes <= mostBytes
    try? await gateway.endRequest(
      key, status: isKept ? code : 0, answer: isKept ? answer.bytes(ofRequest: key) : nil)
  }

  /// The answer that is kept under a digest.
  private func kept(_ digest: [UInt8]) throws -> KeptAnswer {
    guard !digest.isEmpty, let body = try gateway.keptAnswer(digest),
      var answer = KeptAnswer(try body.content())
    else {
      throw Problem(
        .answerLost, "the request was answered, and the answer is not kept; use another key",
        field: "Idempotency-Key")
    }
    answer.headers[.idempotencyReplayed] = "true"
    return answer
  }

  private static func inDoubt(_ fetches: [UInt64]) -> Problem {
    let names = fetches.prefix(10).map { "\($0)" }.joined(separator: ", ")
    var problem = Problem(
      .chargeInDoubt,
      "it is not known yet what fetch \(names) of an earlier try has cost; ask again when the"
        + " upstream's next reading has told, or close the doubt with tollbook resolve",
      field: "Idempotency-Key")
    problem.reason = "in_doubt"
    // A reading that tells is one that is a minute younger than the call.
    return problem.retrying(after: 60)
  }
}
