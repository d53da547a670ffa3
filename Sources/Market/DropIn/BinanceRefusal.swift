import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP

/// A "no" to a client that speaks Binance's wire format, in Binance's own shape: a status of HTTP, a code and a message
/// (errors.md).
struct BinanceRefusal: Error, Hashable {
  let status: Int
  let code: Int64
  let message: String
  var retryAt: Timestamp?

  init(_ status: Int, _ code: Int64, _ message: String, retryAt: Timestamp? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.retryAt = retryAt
  }

  /// What the exchange says of a symbol that it does not have.
  static let unknownSymbol = BinanceRefusal(400, -1_121, "Invalid symbol.")

  /// What the exchange would say of the request, without being asked.
  init(_ fault: BinanceRequestFault) {
    let code: Int64 =
      switch fault.problem {
      case .missing: -1_102
      case .empty: -1_105
      case .twice, .tooManyParameters: -1_101
      case .tooLong, .notASymbol, .notAList, .notWhole: -1_100
      case .notAnInterval: -1_120
      case .notTogether: -1_128
      case .repeated: -1_151
      case .unknownWord where fault.parameter == BinanceParameter.symbolStatus.rawValue: -1_122
      case .unknownWord where fault.parameter == BinanceParameter.type.rawValue: -1_139
      case .tooManySymbols, .outside, .beforeStart, .unknownWord: -1_130
      }
    self.init(400, code, "\(fault)")
  }

  /// What Tollbook itself has to say: unknown, as the exchange calls what it has no word for.
  init(_ problem: Problem) {
    self.init(problem.status.code, -1_000, problem.detail, retryAt: problem.retryAt)
  }

  /// Why something could not be bought.
  ///
  /// - Parameter isBanned: whether the exchange has banned the address that Tollbook asks from.
  init(_ problem: PurchaseProblem, isBanned: Bool) {
    switch problem.reason {
    case .insufficientTokens, .limitReached:
      let status = isBanned ? 418 : 429
      self.init(status, -1_003, problem.detail, retryAt: problem.retryAt)
    case .budgetExceeded, .requestLimit:
      self.init(429, -1_003, problem.detail, retryAt: problem.retryAt)
    case .accountClosed, .notAllowed, .keyRejected: self.init(403, -1_002, problem.detail)
    case .requestRejected:
      let isOwn = (400..<500).contains(problem.upstreamStatus)
      let told = BinanceFailure.told(in: problem.detail)
      self.init(
        isOwn ? problem.upstreamStatus : 400, told?.code ?? -1_000,
        told?.message ?? problem.detail)
    case .tooLate: self.init(504, -1_007, problem.detail)
    case .upstreamUnavailable, .incomplete, .notConfigured, .storageFull, .storageFailed, .busy,
      .stopping, .answerLost:
      // “Disconnected”, which clients take for passing; -1008 some know by the exchange's own address alone.
      self.init(503, -1_001, problem.detail, retryAt: problem.retryAt)
    }
  }

  /// - Parameter headers: what else is told.
  func response(at now: Timestamp, headers: HTTPFields = [:]) -> Response {
    var json = JSONWriter()
    json.object { json in
      json.field("code", code)
      json.field("msg", message)
    }
    var headers = headers
    headers[.contentType] = "application/json;charset=UTF-8"
    if let retryAt {
      let seconds = max(1, (retryAt.milliseconds - now.milliseconds + 999) / 1_000)
      headers[.retryAfter] = "\(seconds)"
    }
    return Response(
      status: HTTPResponse.Status(code: status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}
