import Keepa
import Synchronization
import TollbookEvents
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams

/// The simulator as the gateway's upstream, without HTTP in between. Each paid call takes one second of the clocks. It
/// remembers the bodies that it delivered.
final class SimulatedKeepa: KeepaAPI {
  let simulator: KeepaSimulator
  private let delivered = Mutex<[KeepaASIN: [UInt8]]>([:])
  private let key: String
  private let time: ManualTime

  init(_ simulator: KeepaSimulator, key: String, time: ManualTime) {
    self.simulator = simulator
    self.key = key
    self.time = time
  }

  /// The body of a product, as it was sent last.
  func body(of asin: String) -> [UInt8]? {
    KeepaASIN(asin).flatMap { asin in delivered.withLock { $0[asin] } }
  }

  func products(
    _ request: KeepaProductRequest, within limit: Duration
  ) async -> UpstreamCall<KeepaProductAnswer> {
    time.advance(byMilliseconds: 1_000)
    let parameters = request.parameters.reduce(into: ["key": key]) { $0[$1.name] = $1.value }
    let answer = await simulator.answer(path: "/product", parameters: parameters)
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
    let answer = await simulator.answer(path: "/token", parameters: ["key": key])
    return call(answer) { () throws(UpstreamFailure) in
      try KeepaBalanceAnswer.read(status: answer.status, body: answer.body)
    }
  }

  func call(_ call: KeepaCall, within limit: Duration) async -> UpstreamCall<KeepaCallAnswer> {
    time.advance(byMilliseconds: 1_000)
    let parameters = call.query.reduce(into: ["key": key]) { $0[$1.name] = $1.value }
    let answer = await simulator.answer(path: call.path, parameters: parameters)
    return self.call(answer) { () throws(UpstreamFailure) in
      call.isPicture
        ? try KeepaCallAnswer.readPicture(status: answer.status, body: answer.body)
        : try KeepaCallAnswer.read(status: answer.status, body: answer.body)
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
