import Crypto
import DealScout
import Extraction
import Foundation
import Keepa
import Market
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookUpstreams

/// A system that this Tollbook has: how its upstream is reached, and what it adds over HTTP.
struct System: Sendable {
  /// An upstream that calls can be made to, and how its connections are closed.
  struct Opened: Sendable {
    let upstream: RegisteredUpstream
    /// What it adds over HTTP with these settings; nil: what it adds with any.
    var http: HTTPSystem?
    var close: @Sendable () async -> Void = {}
  }

  /// What it adds over HTTP, and how it shows what is its own.
  let http: HTTPSystem
  /// - Parameters:
  ///   - settings: those in force.
  ///   - simulators: where the simulators are; nil: upstreams are real.
  let open: @Sendable (_ settings: Settings, _ simulators: SimulatorPlaces?) throws -> Opened
}

/// Where the stand-ins for the upstreams are.
struct SimulatorPlaces: Sendable {
  var keepa: BaseURL
  /// Nil: there is none, and nothing is bought from Gemini.
  var gemini: BaseURL?
  var binance: BaseURL
  var ebay: BaseURL
}

/// The systems, one line each.
enum Systems {
  static let all: [System] = [.keepa, .market, .extraction, .dealScout]

  /// What they add over HTTP, and how they show what is theirs.
  static let http = all.map(\.http)
}

extension System {
  static let keepa = System(http: .keepa) { settings, simulators in
    let simulator = simulators?.keepa
    let http = HTTPSystem.keepa.scoring(
      try settings.scoring(), fresh: settings.scoringFresh)
    // Without a key of the settings those that are put in are used.
    let key = simulator == nil ? settings.keepaKey ?? "" : KeepaSimulator.sampleKey
    let id = key.isEmpty ? "" : CredentialOrder.id(of: key, for: KeepaUpstream.name)
    let credential = UpstreamCredential(id: id, key: key)
    var connection = KeepaClient.Settings(base: simulator ?? settings.keepaBase)
    if simulator == nil { connection.client.connectTo = settings.keepaConnectTo }
    let client = KeepaClient(
      credential: credential, settings: connection,
      now: { TimeSource.system.now().milliseconds })
    return Opened(
      upstream: .keepa((client, credential.id), settings.gateway), http: http,
      close: client.shutdown)
  }

  static let market = System(http: .market) { settings, simulators in
    let weights: BinanceWeights
    do throws(DataFileError) {
      weights = try BinanceWeights(json: BinanceWeights.builtInJSON)
    } catch { throw Refused("the table of Binance's weights: \(error).") }
    let state = BinanceState(limit: weights.perMinute)
    let freshness = settings.marketFreshness
    let client = UpstreamClient(
      simulators?.binance ?? settings.binanceBase, now: { TimeSource.system.now().milliseconds })
    let upstream = BinanceUpstream(
      client, weights: weights, freshness: freshness, state: state,
      aheadWeight: settings.binanceAhead, now: { TimeSource.system.now() })
    return Opened(
      upstream: .binance(upstream), http: .market.asking(state, freshness),
      close: client.shutdown)
  }

  static let extraction = System(http: .extraction) { settings, simulators in
    let models = try settings.geminiModels()
    let simulated = simulators.map { $0.gemini == nil ? "" : GeminiSimulator.sampleKey }
    let key = simulated ?? settings.geminiKey ?? ""
    let id = key.isEmpty ? "" : CredentialOrder.id(of: key, for: GeminiUpstream.name)
    var connection = UpstreamClient.Settings()
    // Models that think are silent for as long as they do.
    connection.silenceTimeout = .milliseconds(GeminiUpstream.callLimit)
    let client = UpstreamClient(
      simulators?.gemini ?? settings.geminiBase, settings: connection,
      now: { TimeSource.system.now().milliseconds })
    let upstream = GeminiUpstream(
      client, credential: UpstreamCredential(id: id, key: key), models: models,
      freshness: GeminiUpstream.freshness(days: settings.extractRetention),
      now: { TimeSource.system.now() })
    return Opened(
      upstream: .gemini(upstream, isSet: !key.isEmpty),
      http: .extraction.reading(
        with: models, documentsBy: settings.extractModel,
        second: settings.extractSecondLook),
      close: client.shutdown)
  }

  static let dealScout = System(http: .dealScout) { settings, simulators in
    let key = simulators == nil ? settings.ebayKey ?? "" : EbaySimulator.sampleKey
    let id = key.isEmpty ? "" : CredentialOrder.id(of: key, for: EbayUpstream.name)
    guard let base = simulators?.ebay ?? settings.ebayBase else {
      throw Refused("\(settings.ebayEnvironment.api) is no address.")
    }
    let client = UpstreamClient(base, now: { TimeSource.system.now().milliseconds })
    let upstream = EbayUpstream(
      client, credential: UpstreamCredential(id: id, key: key), freshness: EbayFreshness(),
      takesKey: simulators == nil, now: { TimeSource.system.now() })
    let seller = SellerSettings(
      directory: settings.dataDirectory, photoDays: settings.photoDays,
      models: try settings.geminiModels(), model: settings.extractModel)
    let scout = Scout(
      upstream, judges: simulators != nil || settings.hasEbayConsent, reserve: settings.ebayReserve,
      seller: seller,
      consent: ConsentSettings(
        credential: key,
        ruName: simulators == nil ? settings.ebayRuName : EbayApplication().ruName,
        login: simulators.map { "\($0.ebay)" } ?? settings.ebayLogin))
    return Opened(
      upstream: .ebay(upstream, scout, seller: seller, isSet: !key.isEmpty),
      http: .dealScout.scouting(with: scout, seller: seller), close: client.shutdown)
  }
}
