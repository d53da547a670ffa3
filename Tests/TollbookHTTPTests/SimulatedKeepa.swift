import JSONText
import Keepa
import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams

/// The simulator as the gateway's upstream, without HTTP in between. Each paid call takes one second of the clocks. It
/// remembers the bodies that it delivered.
final class SimulatedKeepa: KeepaAPI {
  /// What becomes of one call, other than what the simulator's own faults can be.
  enum Twist: Sendable {
    /// Turned away before any work, at no cost: a status and an error within Keepa's envelope.
    case refused(Int, String)
    /// The same without an envelope, as a web page.
    case page(Int)
    /// The products of the answer, each as JSON, made into others. Charged as without.
    case products(@Sendable ([String]) -> [String])
  }

  let simulator: KeepaSimulator
  private let twists = Mutex<[Twist]>([])
  private let delivered = Mutex<[KeepaASIN: [UInt8]]>([:])
  private let key: String
  private let time: ManualTime

  init(_ simulator: KeepaSimulator, key: String, time: ManualTime) {
    self.simulator = simulator
    self.key = key
    self.time = time
  }

  func with(_ lease: CredentialLease) -> (any KeepaAPI)? { Lent(base: self, key: lease.secret) }

  /// The same simulator, called with another key.
  private struct Lent: KeepaAPI {
    let base: SimulatedKeepa
    let key: String

    func products(
      _ request: KeepaProductRequest, within limit: Duration
    ) async -> UpstreamCall<KeepaProductAnswer> { await base.products(request, key: key) }

    func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
      await base.balance(key: key)
    }

    func call(_ call: KeepaCall, within limit: Duration) async -> UpstreamCall<KeepaCallAnswer> {
      await base.call(call, key: key)
    }
  }

  /// The body of a product, as it was sent last.
  func body(of asin: String) -> [UInt8]? {
    KeepaASIN(asin).flatMap { asin in delivered.withLock { $0[asin] } }
  }

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> { await products(request, key: key) }

  private func products(
    _ request: KeepaProductRequest, key: String
  ) async -> UpstreamCall<KeepaProductAnswer> {
    time.advance(byMilliseconds: 1_000)
    let parameters = request.parameters.reduce(into: ["key": key]) { $0[$1.name] = $1.value }
    let answer = await twisted(path: "/product", parameters)
    return call(answer) { () throws(UpstreamFailure) in
      let read = try KeepaProductAnswer.read(
        status: answer.status, body: answer.body, asked: request.asins,
        contentSet: request.contentSet)
      delivered.withLock { delivered in
        for product in read.products { delivered[product.asin] = product.body }
      }
      return read
    }
  }

  func balance(within limit: Duration) async -> UpstreamCall<UpstreamReading> {
    await balance(key: key)
  }

  private func balance(key: String) async -> UpstreamCall<UpstreamReading> {
    let answer = await simulator.answer(path: "/token", parameters: ["key": key])
    return call(answer) { () throws(UpstreamFailure) in
      try KeepaBalanceAnswer.read(status: answer.status, body: answer.body)
    }
  }

  func call(_ call: KeepaCall, within limit: Duration) async -> UpstreamCall<KeepaCallAnswer> {
    await self.call(call, key: key)
  }

  private func call(_ call: KeepaCall, key: String) async -> UpstreamCall<KeepaCallAnswer> {
    time.advance(byMilliseconds: 1_000)
    let parameters = call.query.reduce(into: ["key": key]) { $0[$1.name] = $1.value }
    let answer = await twisted(path: call.path, parameters)
    return self.call(answer) { () throws(UpstreamFailure) in
      call.isPicture
        ? try KeepaCallAnswer.readPicture(status: answer.status, body: answer.body)
        : try KeepaCallAnswer.read(status: answer.status, body: answer.body)
    }
  }

  /// What happens to the next calls, those for the balance apart.
  func twist(_ next: Twist...) { twists.withLock { $0 += next } }

  private func twisted(path: String, _ parameters: [String: String]) async -> KeepaAnswer {
    switch twists.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
    case nil: return await simulator.answer(path: path, parameters: parameters)
    case .page(let status)?: return KeepaAnswer(status: status, page: "Not today")
    case .refused(let status, let type)?:
      let now = simulator.configuration.now()
      guard var bucket = simulator.bucket(of: key) else {
        return KeepaAnswer(status: 402, body: [])
      }
      var envelope = TollbookSimulators.KeepaEnvelope(bucket: &bucket, at: now)
      envelope.error = .init(type: type, message: "The call was turned away.")
      return KeepaAnswer(status: status, body: envelope.json())
    case .products(let change)?:
      var answer = await simulator.answer(path: path, parameters: parameters)
      guard let root = try? JSONDocument(answer.body).root, let members = root.members else {
        return answer
      }
      let products = root["products"]?.array?.map { String(decoding: $0.bytes, as: UTF8.self) }
      var json = JSONWriter(capacity: answer.body.count)
      json.object { json in
        for member in members where member.name != "products" {
          json.rawField(member.name, member.value.bytes)
        }
        let list = change(products ?? []).joined(separator: ",")
        json.rawField("products", Array("[\(list)]".utf8))
      }
      answer.body = json.bytes
      return answer
    }
  }

  private func call<Answer: Sendable>(
    _ answer: KeepaAnswer, _ read: () throws(UpstreamFailure) -> Answer
  ) -> UpstreamCall<Answer> {
    let result =
      answer.delivery == .withheld
      ? .failure(
        UpstreamFailure(.connectionLost, detail: "the connection was closed", charge: .unknown))
      : Result(catching: read)
    return UpstreamCall(
      sentMilliseconds: simulator.configuration.now(), duration: .zero,
      receivedBytes: answer.body.count, isSimulated: true, result: result)
  }
}
