import Crypto
import DealScout
import Extraction
import Foundation
import Keepa
import Logging
import Market
import TollbookArchive
import TollbookAudit
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

/// The settings in force, each with its source.
struct Settings: Sendable {
  /// A setting's value as text and as read, and who gave it.
  struct Entry: Sendable {
    let setting: Setting
    /// Nil: not set, and there is no default.
    let text: String?
    let value: SettingValue?
    let source: SettingSource

    /// For people: without secrets.
    var shown: String {
      guard let text, !text.isEmpty else { return "(not set)" }
      return setting.isSecret ? "(set)" : text
    }
  }

  /// In the order of the table.
  let entries: [Entry]
  /// Whether upstreams are simulated.
  let isSimulated: Bool
  /// The settings file that was read.
  let file: String?

  private func value(_ name: SettingName) -> SettingValue? {
    entries.first { $0.setting.name == name }?.value
  }

  private func text(_ name: SettingName) -> String? {
    guard case .text(let text)? = value(name) else { return nil }
    return text
  }

  private func number(_ name: SettingName) -> Int {
    guard case .number(let number)? = value(name) else {
      preconditionFailure("\(name) has a default that is a number")
    }
    return number
  }

  private func list(_ name: SettingName) -> [String] {
    guard case .list(let list)? = value(name) else { return [] }
    return list
  }
}

// MARK: As the parts of Tollbook take them

extension Settings {
  var dataDirectory: String { text(.dataDirectory) ?? "" }
  var mode: LogMode { isSimulated ? .simulated : .real }
  var keepaKey: String? { text(.keepaKey) }
  var keepaBase: BaseURL { address(.keepaBase) }
  var geminiKey: String? { text(.geminiKey) }
  var geminiBase: BaseURL { address(.geminiBase) }
  var binanceBase: BaseURL { address(.binanceBase) }
  /// In weight a minute.
  var binanceAhead: Int64 { Int64(number(.binanceAhead)) }
  var ebayEnvironment: EbayEnvironment {
    EbayEnvironment(rawValue: text(.ebayEnvironment) ?? "") ?? .production
  }
  /// App ID and Cert ID with a colon between them; nil: one of them is not set.
  var ebayKey: String? {
    guard let app = text(.ebayApp), let cert = text(.ebayCert) else { return nil }
    return "\(app):\(cert)"
  }
  var ebayBase: BaseURL? {
    if case .url(let base)? = value(.ebayBase) { return base }
    return BaseURL(ebayEnvironment.api)
  }
  var ebayRuName: String? { text(.ebayRuName) }
  /// Where users of eBay's log in, without a slash at the end.
  var ebayLogin: String {
    if case .url(let base)? = value(.ebayBase) { return "\(base)" }
    return ebayEnvironment.login
  }
  /// Whether prices may be judged by what eBay shows.
  var hasEbayConsent: Bool { text(.ebayConsent) == "yes" }
  /// In percent of a day's calls.
  var ebayReserve: Int64 { Int64(number(.ebayReserve)) }
  var extractModel: String { text(.extractModel) ?? "" }
  /// Whether a document is read once more where a check fails.
  var extractSecondLook: SecondLook { SecondLook(text(.extractSecondLook) ?? "off") }
  /// In days.
  var extractRetention: Int64 { Int64(number(.extractRetention)) }
  var photoDays: Int64 { Int64(number(.photoDays)) }

  private func address(_ name: SettingName) -> BaseURL {
    guard case .url(let base)? = value(name) else {
      preconditionFailure("\(name) has a default that is an address")
    }
    return base
  }
  /// Where Keepa is connected to instead of what its name stands for; nil: there.
  var keepaConnectTo: ConnectionPlace? { text(.keepaConnectTo).flatMap { ConnectionPlace($0) } }
  var isTLSOn: Bool { value(.tls) == .flag(true) }
  var tlsPort: Int { number(.tlsPort) }
  /// Whether somebody named a folder for the certificate, instead of the one in the data directory.
  var isTLSDirectoryNamed: Bool { text(.tlsDirectory) != nil }
  var tlsDirectory: String {
    text(.tlsDirectory) ?? DataDirectory.certificates(of: dataDirectory)
  }
  /// As it was written, such as `7d`.
  var productFresh: String {
    entries.first { $0.setting.name == .productFresh }?.text ?? ""
  }
  /// What seals the credentials that are put in; nil: none can be.
  ///
  /// - Throws: `Refused` with what is wrong with it, without the key.
  func masterKey() throws -> SymmetricKey? {
    let setting = Setting.named(.masterKey).environment
    do {
      if let text = text(.masterKey) { return try KeyFile.master(text) }
    } catch { throw Refused("\(setting): \(error).") }
    guard let path = text(.masterKeyFile) else { return nil }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Refused("\(path), which should hold the master key, cannot be read.")
    }
    let mode = try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    guard let mode, mode & 0o077 == 0 else {
      throw Refused("\(path) holds the master key, and others may read it: chmod 600 \(path)")
    }
    do { return try KeyFile.master(String(decoding: data, as: UTF8.self)) } catch {
      throw Refused("\(path): \(error).")
    }
  }

  var tokenPrice: TokenPrice? { text(.tokenPrice).flatMap { TokenPrice($0) } }

  var logLevel: Logger.Level {
    text(.logLevel).flatMap { Logger.Level(rawValue: $0) } ?? .info
  }

  var log: EventLog.Options {
    var options = EventLog.Options()
    options.mapSize = number(.mapSize)
    return options
  }

  var gateway: GatewaySettings {
    var gateway = GatewaySettings()
    gateway.isCacheOn = value(.cache) == .flag(true)
    gateway.gatherTime = 5
    gateway.overdraft = text(.overdraft).flatMap { .init(rawValue: $0) } ?? .never
    gateway.products.present.fresh = Int64(number(.productFresh))
    gateway.products.present.grace = Int64(number(.productGrace))
    gateway.products.present.errorGrace = Int64(number(.productErrorGrace))
    gateway.products.present.keep = Int64(number(.productKeep))
    gateway.products.absent.fresh = Int64(number(.absentFresh))
    for (kind, name) in Self.windows {
      var policy = KeepaUpstream.standardFreshness(of: kind)
      let fresh = Int64(number(name))
      policy.present.fresh = fresh
      policy.present.keep = max(policy.present.keep, fresh)
      policy.absent.fresh = min(policy.absent.fresh, fresh)
      gateway.freshness[kind] = policy
    }
    gateway.interactiveReserve = Int64(number(.interactiveReserve))
    gateway.budgetReserve = Int64(number(.budgetReserve))
    gateway.refreshesAhead = value(.refreshAhead) == .flag(true)
    gateway.bodyRetention = Int64(number(.bodyRetention))
    gateway.cacheBytes = number(.cacheBytes)
    gateway.answerTimeout = Int64(number(.answerTimeout))
    gateway.longestWait = Int64(number(.longestWait))
    gateway.mostWaiting = number(.queueLimit)
    gateway.webhookHosts = list(.webhookHosts)
    gateway.lowBalance = Int64(number(.lowBalance))
    return gateway
  }

  /// The settings that say how long entries of a kind are fresh.
  private static let windows: [(kind: String, setting: SettingName)] = [
    (KeepaUpstream.code, .codeFresh),
    (KeepaEndpoint.bestSellers.operation, .bestSellersFresh),
    (KeepaEndpoint.finder.operation, .finderFresh),
    (KeepaEndpoint.search.operation, .searchFresh),
    (KeepaEndpoint.category.operation, .categoryFresh),
    (KeepaEndpoint.seller.operation, .sellerFresh),
    (KeepaEndpoint.deals.operation, .dealsFresh),
    (KeepaEndpoint.graph.operation, .graphFresh),
  ]

  /// How long what Binance says answers.
  var marketFreshness: BinanceFreshness {
    var freshness = BinanceFreshness()
    freshness.openCandle = Int64(number(.openCandleFresh))
    freshness.ticker = Int64(number(.tickerFresh))
    freshness.tradingDay = Int64(number(.tradingDayFresh))
    freshness.book = Int64(number(.bookFresh))
    freshness.depth = Int64(number(.depthFresh))
    freshness.trades = Int64(number(.tradesFresh))
    freshness.aggregateTrades = Int64(number(.aggregateTradesFresh))
    freshness.exchangeInfo = Int64(number(.exchangeInfoFresh))
    freshness.unknownSymbol = Int64(number(.unknownSymbolFresh))
    return freshness
  }

  /// When snapshots are taken by themselves.
  var snapshots: SnapshotPolicy {
    SnapshotPolicy(
      events: UInt64(number(.snapshotEvents)), interval: Int64(number(.snapshotInterval)),
      kept: number(.snapshotsKept))
  }

  /// The HTTP side, with as many connections as the process has descriptors for.
  var http: HTTPSettings {
    var http = HTTPSettings(version: Tollbook.version, startTime: TimeSource.system.now())
    http.host = text(.host) ?? http.host
    http.port = number(.port)
    http.tlsPort = isTLSOn ? tlsPort : nil
    http.connections = OpenFiles.connections(of: OpenFiles.most)
    http.accessKey = text(.accessKey)
    http.tokenPrice = tokenPrice
    http.allowedHosts = list(.allowedHosts)
    http.corsOrigins = list(.corsOrigins)
    http.memoryLimit = number(.memoryLimit)
    return http
  }

  /// How long a score answers, in milliseconds.
  var scoringFresh: Int64 { Int64(number(.scoringFresh)) }

  /// How e-mail is sent; nil: none is.
  ///
  /// - Throws: why it cannot be sent so.
  func mail() throws(SettingsProblem) -> NotificationDesk.Mail? {
    let address: EmailAddress
    do throws(NotificationProblem) {
      address = try EmailAddress(text(.mailFrom) ?? "")
    } catch { throw SettingsProblem("TOLLBOOK_MAIL_FROM: \(error.description).") }
    guard let path = text(.sendmail) else { return nil }
    guard path.hasPrefix("/") else {
      throw SettingsProblem(
        "TOLLBOOK_SENDMAIL is “\(path.inOneLine(atMost: 200))”; name the program from / on.")
    }
    return NotificationDesk.Mail(MailProgram(path), from: address)
  }

  /// What scores are made from.
  ///
  /// - Throws: why the file of fees cannot be used, and where it is wrong.
  func scoring() throws(SettingsProblem) -> ScoringBasis {
    var configuration = ScoringConfiguration()
    configuration.buyRatio = nil
    if case .number(let share)? = value(.buyRatio) {
      configuration.buyRatio = FeeRate(hundredths: Int64(share))
    }
    let file = text(.feeFile)
    var fees: [UInt8]?
    if let file { fees = try Self.bytes(of: file, "the file of fees", .feeFile) }
    do throws(FeeTableError) {
      return try ScoringBasis(fees: fees, configuration: configuration)
    } catch {
      let subject = file.map { "the file of fees \($0) (TOLLBOOK_SCORING_FEES)" }
      throw SettingsProblem(
        "\(subject ?? "the file of fees that Tollbook was built with") cannot be used: \(error).")
    }
  }

  /// The models of Gemini that can be bought from, and the one that reads documents among them.
  ///
  /// - Throws: why the file of models cannot be used, and where it is wrong.
  func geminiModels() throws(SettingsProblem) -> GeminiModels {
    let file = text(.geminiModels)
    var json = GeminiModels.builtInJSON
    if let file { json = try Self.bytes(of: file, "the file of models", .geminiModels) }
    let models: GeminiModels
    do throws(DataFileError) { models = try GeminiModels(json: json) } catch {
      let subject = file.map { "the file of models \($0) (TOLLBOOK_GEMINI_MODELS)" }
      throw SettingsProblem(
        "\(subject ?? "the file of models that Tollbook was built with") cannot be used: \(error).")
    }
    let known = models.models.map(\.name).joined(separator: ", ")
    guard models.model(extractModel) != nil else {
      throw SettingsProblem(
        "TOLLBOOK_EXTRACT_MODEL is \(extractModel), which is not among the models whose prices are"
          + " known: \(known).")
    }
    if case .by(let name) = extractSecondLook, models.model(name) == nil {
      throw SettingsProblem(
        "TOLLBOOK_EXTRACT_SECOND_LOOK is \(name), which is neither off nor repeat, nor among the"
          + " models whose prices are known: \(known).")
    }
    return models
  }

  private static func bytes(
    of path: String, _ what: String, _ setting: SettingName
  ) throws(SettingsProblem) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: path) else {
      let variable = Setting.named(setting).environment
      throw SettingsProblem("\(what) \(path) (\(variable)) cannot be read; is the path right?")
    }
    return [UInt8](data)
  }

  /// What is wrong with settings that are right each by itself.
  var contradictions: [SettingsProblem] {
    var found: [SettingsProblem] = []
    // Whether keys were issued is looked up where there is a log, when it is opened.
    let mayHaveKeys = (try? DataDirectory.mode(of: dataDirectory)) ?? nil != nil
    if let problem = http.problem(hasIssuedKeys: mayHaveKeys) {
      found.append(SettingsProblem("\(problem)."))
    }
    if text(.feeFile) != nil {
      do throws(SettingsProblem) { _ = try scoring() } catch { found.append(error) }
    }
    do throws(SettingsProblem) { _ = try geminiModels() } catch { found.append(error) }
    do throws(SettingsProblem) { _ = try mail() } catch { found.append(error) }
    if number(.answerTimeout) < 1_000 {
      found.append(
        SettingsProblem(
          "no request can be answered within TOLLBOOK_ANSWER_TIMEOUT; give it a second at least."))
    }
    if number(.productKeep) < number(.productFresh) {
      found.append(
        SettingsProblem(
          "products are to be kept for a shorter time (TOLLBOOK_PRODUCT_KEEP) than they are fresh"
            + " (TOLLBOOK_PRODUCT_FRESH); keep them at least as long."))
    }
    return found
  }
}
