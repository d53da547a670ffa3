import Foundation
import JSONText
import Keepa
import NIOCore
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// Where products of a predecessor's are brought to: the Tollbook that owns the data directory, or its log if nobody does.
enum MovingPlace {
  case owner(directory: String)
  case log(EventLog, Gateway)
  /// There is no data directory, and none is made: only told is what would become of them.
  case nowhere(RegisteredUpstream)

  /// - Parameter isTrial: whether nothing may be written.
  static func open(_ settings: Settings, isTrial: Bool) throws -> Self {
    let path = settings.dataDirectory
    guard let mode = try DataDirectory.mode(of: path) else {
      if isTrial { return .nowhere(.keepa(nil, settings.gateway)) }
      return try open(try DataDirectory.own(path, mode: settings.mode), settings)
    }
    if DataDirectory.isOwned(path) { return .owner(directory: path) }
    return try open(try DataDirectory.own(path, mode: mode), settings)
  }

  private static func open(_ directory: DataDirectory, _ settings: Settings) throws -> Self {
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log, fail: endProcess)
    let gateway = Gateway(
      log: log, upstreams: [.keepa(nil, settings.gateway)], settings: settings.gateway,
      random: { 0 })
    return .log(log, gateway)
  }

  func close() {
    if case .log(let log, _) = self { log.close() }
  }

  /// Brings products of one marketplace there, as `POST /keepa/import` does.
  func bring(_ products: [MovedProduct], isTrial: Bool) async throws -> ImportOutcome {
    guard let domain = products.first?.domain else { return ImportOutcome() }
    let write = { (json: inout JSONWriter) in
      json.field("domain", domain.rawValue)
      json.array("fetched_at", products.lazy.map(\.fetched.description))
      json.name("products")
      json.array(products) { json, product in json.raw(product.body) }
    }
    switch self {
    case .owner(let directory):
      let answer = try await Owner.ask(
        directory: directory, path: "/keepa/import",
        headers: isTrial ? [("Tollbook-Dry-Run", "1")] : [], timeout: .minutes(10), body: write)
      guard let answer else {
        throw Refused(
          "the Tollbook that owns the directory ended meanwhile; what came in stays, so start"
            + " this again.")
      }
      var outcome = ImportOutcome()
      outcome.kept = answer.root["kept"]?.int ?? 0
      outcome.known = answer.root["known"]?.int ?? 0
      outcome.tooOld = answer.root["too_old"]?.int ?? 0
      return outcome
    case .log(let log, let gateway):
      let order = try Self.order(write, now: log.time.now())
      return try await gateway.keep(order.entries, isTrial: isTrial)
    case .nowhere(let upstream):
      let now = TimeSource.system.now()
      return upstream.outcome(ofImporting: try Self.order(write, now: now).entries, now: now)
    }
  }

  private static func order(
    _ write: (inout JSONWriter) -> Void, now: Timestamp
  ) throws -> ImportOrder {
    var json = JSONWriter()
    json.object { json in write(&json) }
    do throws(Problem) { return try ImportOrder(json.bytes, now: now) } catch {
      throw Refused("\(error.detail).")
    }
  }
}
