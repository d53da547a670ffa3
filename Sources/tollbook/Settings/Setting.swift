/// The settings by what they mean to the code.
enum SettingName: CaseIterable, Sendable {
  case dataDirectory, host, port, tls, tlsPort, tlsDirectory
  case keepaKey, keepaBase, keepaConnectTo, tokenPrice
  case geminiKey, geminiBase, geminiModels, extractModel, extractSecondLook, extractRetention
  case binanceBase, binanceAhead
  case ebayEnvironment, ebayApp, ebayCert, ebayBase, ebayRuName, ebayConsent, ebayReserve, photoDays
  case demoMode
  case accessKey, masterKey, masterKeyFile, allowedHosts, corsOrigins, webhookHosts
  case lowBalance
  case sendmail, mailFrom
  case cache, overdraft, answerTimeout, longestWait, queueLimit
  case productFresh, productGrace, productErrorGrace, productKeep, absentFresh
  case codeFresh, bestSellersFresh, finderFresh, searchFresh, categoryFresh, sellerFresh
  case dealsFresh, graphFresh
  case openCandleFresh, tickerFresh, tradingDayFresh, bookFresh, depthFresh, tradesFresh
  case aggregateTradesFresh, exchangeInfoFresh, unknownSymbolFresh
  case interactiveReserve, budgetReserve, refreshAhead, scoringFresh,
    buyRatio, feeFile,
    bodyRetention, cacheBytes
  case snapshotEvents, snapshotInterval, snapshotsKept
  case logLevel, mapSize, memoryLimit
}

/// One setting: where it may be given, what it may be, and what it does.
struct Setting: Sendable {
  let name: SettingName
  /// Its place in the settings file, and in capitals its environment variable.
  let key: String
  /// The command-line flag, if it has one. Secrets have none: other users can read command lines.
  var flag: String?
  let kind: SettingKind
  /// What holds if nobody sets it; nil: nothing.
  var standard: String?
  var isSecret = false
  let help: String

  /// The environment variable.
  var environment: String { key.replacing(".", with: "_").uppercased() }

  /// The parts of its place in the settings file.
  var path: [String] { key.split(separator: ".").map(String.init) }
}

extension Setting {
  /// Where data goes when `--simulate` is given and nothing else is said.
  static let simulatedDataDirectory = "./tollbook-simulated"

  /// The variable that names the settings file, as `--config` does. Not a setting that a file can hold.
  static let fileVariable = "TOLLBOOK_CONFIG"

  /// Every setting, in the order in which people read about them. Parsing, `tollbook config` and the table of the
  /// README come from here.
  static let all: [Setting] = [
    Setting(
      name: .dataDirectory, key: "tollbook.data_dir", flag: "--data-dir", kind: .text,
      standard: "./tollbook-data",
      help: "Folder of the event log; with --simulate `\(simulatedDataDirectory)`"),
    Setting(
      name: .host, key: "tollbook.host", flag: "--host", kind: .text, standard: "127.0.0.1",
      help: "Address to listen on"),
    Setting(
      name: .port, key: "tollbook.port", flag: "--port", kind: .integer(0...65_535),
      standard: "8000", help: "Port to listen on; 0 takes a free one"),
    Setting(
      name: .tls, key: "tollbook.tls", flag: "--tls", kind: .onOff, standard: "off",
      help: "Listen with TLS too, as `api.keepa.com`; `tollbook tls init` makes the certificate"),
    Setting(
      name: .tlsPort, key: "tollbook.tls_port", flag: "--tls-port", kind: .integer(0...65_535),
      standard: "8443", help: "Port to listen on with TLS; clients of Keepa come to 443"),
    Setting(
      name: .tlsDirectory, key: "tollbook.tls_dir", kind: .text,
      help: "Folder of the certificate and its key; if not set, `tls` in the data folder"),
    Setting(
      name: .keepaKey, key: "keepa.api_key", kind: .text, isSecret: true,
      help: "Your key for Keepa; without one only the cache answers"),
    Setting(
      name: .keepaBase, key: "keepa.base_url", kind: .url, standard: "https://api.keepa.com",
      help: "Where Keepa is: any server that speaks its format"),
    Setting(
      name: .keepaConnectTo, key: "keepa.connect_to", kind: .connection,
      help: "Host or address to connect to for Keepa, past this machine's hosts file"),
    Setting(
      name: .tokenPrice, key: "keepa.token_price", kind: .price,
      help: "What a token costs you, such as 0.0412 EUR: shows money beside tokens"),
    Setting(
      name: .geminiKey, key: "gemini.api_key", kind: .text, isSecret: true,
      help: "Your key for Gemini; without one only the cache answers"),
    Setting(
      name: .geminiBase, key: "gemini.base_url", kind: .url,
      standard: "https://generativelanguage.googleapis.com",
      help: "Where Gemini is: any server that speaks its format"),
    Setting(
      name: .geminiModels, key: "tollbook.gemini_models", kind: .text,
      help: "A file of prices and limits in the form of"
        + " `Sources/Extraction/Gemini/GeminiModels.json`, in its place"),
    Setting(
      name: .extractModel, key: "tollbook.extract_model", kind: .text,
      standard: "gemini-3.5-flash-lite", help: "The model that reads documents"),
    Setting(
      name: .extractSecondLook, key: "tollbook.extract_second_look", kind: .text,
      standard: "off",
      help: "Where a check of a document fails it is read once more: off, repeat (by the same"
        + " model) or a model"),
    Setting(
      name: .extractRetention, key: "tollbook.extract_retention_days", kind: .integer(1...3_650),
      standard: "30",
      help: "For how many days what Gemini answered about a document, or to a question, is kept"),
    Setting(
      name: .binanceBase, key: "binance.base_url", kind: .url,
      standard: "https://data-api.binance.vision",
      help: "Where Binance's market data is, without `/api/v3`; it takes no key"),
    Setting(
      name: .binanceAhead, key: "binance.ahead_weight", kind: .integer(0...6_000), standard: "0",
      help: "Weight a minute that may refresh what is read often before it is too old; 0: none"),
    Setting(
      name: .ebayEnvironment, key: "ebay.env", kind: .choice(["production", "sandbox"]),
      standard: "production", help: "Which eBay the key is for; each has keys of its own"),
    Setting(
      name: .ebayApp, key: "ebay.app_id", kind: .text,
      help: "The App ID of your key for eBay; without a key only the cache answers"),
    Setting(
      name: .ebayCert, key: "ebay.cert_id", kind: .text, isSecret: true,
      help: "The Cert ID of your key for eBay"),
    Setting(
      name: .ebayBase, key: "ebay.base_url", kind: .url,
      help: "Where eBay is, not where its environment is: any server that speaks its format"),
    Setting(
      name: .ebayRuName, key: "ebay.runame", kind: .text,
      help: "The RuName of your key, which stands for the address that eBay sends users back to"),
    Setting(
      name: .ebayConsent, key: "ebay.modelling_consent", kind: .choice(["no", "yes"]),
      standard: "no",
      help: "Whether eBay has agreed in writing that you judge prices by its listings"),
    Setting(
      name: .ebayReserve, key: "ebay.reserve", kind: .integer(0...100), standard: "34",
      help: "Percent of a day's calls that scans leave to people"),
    Setting(
      name: .photoDays, key: "tollbook.photo_days", kind: .integer(1...3_650), standard: "90",
      help: "For how many days a seller's photo is kept after it was last sent in"),
    Setting(
      name: .demoMode, key: "demo.mode", kind: .choice(["false", "true"]), standard: "false",
      help: "`true` is `--simulate`"),
    Setting(
      name: .accessKey, key: "tollbook.access_key", kind: .text, isSecret: true,
      help: "What clients must show; needed to listen beyond this machine"),
    Setting(
      name: .masterKey, key: "tollbook.master_key", kind: .text, isSecret: true,
      help: "32 bytes in base64 that seal the credentials put in; without it none can be"),
    Setting(
      name: .masterKeyFile, key: "tollbook.master_key_file", kind: .text,
      help: "A file that holds that key instead; only its owner may be able to read it"),
    Setting(
      name: .allowedHosts, key: "tollbook.allowed_hosts", kind: .hosts, standard: "",
      help: "Names under which browsers may reach Tollbook, beside this machine's own"),
    Setting(
      name: .corsOrigins, key: "tollbook.cors_origins", kind: .origins, standard: "",
      help: "Origins, such as `https://app.example`, whose pages may call from a browser (CORS)"),
    Setting(
      name: .webhookHosts, key: "tollbook.webhook_allow", kind: .hosts, standard: "",
      help: "Hosts that webhooks may reach although their addresses are not public"),
    Setting(
      name: .lowBalance, key: "tollbook.low_balance", kind: .integer(0...1_000_000_000),
      standard: "0",
      help: "An alert is raised when an upstream has less than this left; 0: never"),
    Setting(
      name: .sendmail, key: "tollbook.sendmail", kind: .text,
      help: "A program that takes mail as `sendmail -i` does, such as `/usr/sbin/sendmail`;"
        + " without one no e-mail is sent"),
    Setting(
      name: .mailFrom, key: "tollbook.mail_from", kind: .text, standard: "tollbook@localhost",
      help: "The address that e-mail is from"),
    Setting(
      name: .cache, key: "tollbook.cache", kind: .onOff, standard: "on",
      help: "Off: every request is bought, and still kept"),
    Setting(
      name: .overdraft, key: "tollbook.overdraft", kind: .choice(["never", "allow"]),
      standard: "never",
      help: "May a call cost more than Keepa's balance holds, as Keepa itself allows?"),
    Setting(
      name: .answerTimeout, key: "tollbook.answer_timeout", kind: .duration, standard: "2m",
      help: "How long a request may take, the queue included, beside what it waits for refills"),
    Setting(
      name: .longestWait, key: "tollbook.longest_wait", kind: .duration, standard: "5m",
      help: "The longest time that a request may want to wait for refills (`wait_seconds`)"),
    Setting(
      name: .queueLimit, key: "tollbook.queue_limit", kind: .integer(1...1_000_000),
      standard: "10000",
      help: "How many resources may wait to be bought from an upstream; what is beyond is refused"),
    Setting(
      name: .productFresh, key: "tollbook.product_fresh", kind: .duration, standard: "7d",
      help: "How long a product answers from the cache"),
    Setting(
      name: .productGrace, key: "tollbook.product_grace", kind: .duration, standard: "0s",
      help: "How long after that it still answers, while it is bought again behind"),
    Setting(
      name: .productErrorGrace, key: "tollbook.product_error_grace", kind: .duration,
      standard: "23d",
      help: "How long after being fresh it answers, marked stale, if Keepa or the balance says no"),
    Setting(
      name: .productKeep, key: "tollbook.product_keep", kind: .duration, standard: "90d",
      help: "How long after it was bought it is kept"),
    Setting(
      name: .absentFresh, key: "tollbook.absent_fresh", kind: .duration, standard: "1d",
      help: "How long “Keepa does not know this ASIN” is believed"),
    Setting(
      name: .codeFresh, key: "keepa.code_fresh", kind: .duration, standard: "30d",
      help: "How long which products a code (UPC, EAN, ISBN-13) stands for answers from the cache"),
    Setting(
      name: .bestSellersFresh, key: "keepa.bestsellers_fresh", kind: .duration, standard: "1d",
      help: "How long a list of best sellers answers from the cache"),
    Setting(
      name: .finderFresh, key: "keepa.query_fresh", kind: .duration, standard: "1d",
      help: "How long an answer of the finder answers from the cache"),
    Setting(
      name: .searchFresh, key: "keepa.search_fresh", kind: .duration, standard: "1d",
      help: "How long an answer of a search answers from the cache"),
    Setting(
      name: .categoryFresh, key: "keepa.category_fresh", kind: .duration, standard: "7d",
      help: "How long a category answers from the cache"),
    Setting(
      name: .sellerFresh, key: "keepa.seller_fresh", kind: .duration, standard: "1d",
      help: "How long a seller answers from the cache"),
    Setting(
      name: .dealsFresh, key: "keepa.deal_fresh", kind: .duration, standard: "10m",
      help: "How long a page of deals answers from the cache"),
    Setting(
      name: .graphFresh, key: "keepa.graphimage_fresh", kind: .duration, standard: "90m",
      help: "How long a graph answers from the cache"),
    Setting(
      name: .openCandleFresh, key: "binance.open_candle_fresh", kind: .duration, standard: "1s",
      help: "How long a candle that is not closed answers at least; else for a sixtieth of its"
        + " interval"),
    Setting(
      name: .tickerFresh, key: "binance.ticker_fresh", kind: .duration, standard: "2s",
      help: "How long tickers, prices and averages answer from the cache"),
    Setting(
      name: .tradingDayFresh, key: "binance.trading_day_fresh", kind: .duration, standard: "10s",
      help: "How long the ticker of a trading day answers from the cache"),
    Setting(
      name: .bookFresh, key: "binance.book_fresh", kind: .duration, standard: "2s",
      help: "How long the best offers answer from the cache"),
    Setting(
      name: .depthFresh, key: "binance.depth_fresh", kind: .duration, standard: "1s",
      help: "How long an order book answers from the cache"),
    Setting(
      name: .tradesFresh, key: "binance.trades_fresh", kind: .duration, standard: "2s",
      help: "How long the last trades answer from the cache"),
    Setting(
      name: .aggregateTradesFresh, key: "binance.agg_trades_fresh", kind: .duration, standard: "1s",
      help: "How long aggregate trades answer from the cache"),
    Setting(
      name: .exchangeInfoFresh, key: "binance.exchange_info_fresh", kind: .duration,
      standard: "1h", help: "How long the list of markets answers from the cache"),
    Setting(
      name: .unknownSymbolFresh, key: "binance.unknown_symbol_fresh", kind: .duration,
      standard: "10m", help: "How long “Binance has no such market” is believed"),
    Setting(
      name: .interactiveReserve, key: "keepa.interactive_reserve", kind: .integer(0...1_000_000),
      standard: "0",
      help: "Tokens that requests with priority=background leave for the others"),
    Setting(
      name: .budgetReserve, key: "tollbook.budget_reserve", kind: .integer(0...100),
      standard: "0",
      help:
        "Percent of each budget that jobs and priority=background leave for the others"
    ),
    Setting(
      name: .refreshAhead, key: "keepa.refresh_ahead", kind: .onOff, standard: "off",
      help: "Spend tokens that would be lost on products that will probably be read"),
    Setting(
      name: .scoringFresh, key: "tollbook.scoring_fresh", kind: .duration, standard: "6h",
      help: "How long a score is taken from memory for the same body and costs; 0s: never"),
    Setting(
      name: .buyRatio, key: "tollbook.scoring_buy_ratio", kind: .share, standard: "0.5",
      help: "Share of the price that scores take for an unknown buying cost; none: they guess none"
    ),
    Setting(
      name: .feeFile, key: "tollbook.scoring_fees", kind: .text,
      help: "A file of fees in the form of `Sources/Keepa/Scoring/AmazonFees.json`, in its place"),
    Setting(
      name: .bodyRetention, key: "tollbook.body_retention", kind: .duration, standard: "30d",
      help: "How long Keepa's answer is kept after the last entry that needed it is gone"),
    Setting(
      name: .cacheBytes, key: "tollbook.cache_bytes", kind: .bytes(minimum: 64 << 20),
      standard: "4GiB",
      help: "Most that the bodies of entries may take on the disk; beyond it the least worth go"),
    Setting(
      name: .snapshotEvents, key: "tollbook.snapshot_events",
      kind: .integer(0...1_000_000_000_000), standard: "1000000",
      help: "A snapshot is taken by itself after so many events; 0: never for that reason"),
    Setting(
      name: .snapshotInterval, key: "tollbook.snapshot_interval", kind: .duration, standard: "1d",
      help: "And after so much time, if something has happened; 0s: never for that reason"),
    Setting(
      name: .snapshotsKept, key: "tollbook.snapshots_kept", kind: .integer(1...100_000),
      standard: "7", help: "How many of those are kept"),
    Setting(
      name: .logLevel, key: "tollbook.log_level", flag: "--log-level",
      kind: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
      standard: "info", help: "How much the service says about itself on standard error"),
    Setting(
      name: .mapSize, key: "tollbook.map_size", kind: .bytes(minimum: 128 << 20),
      standard: "256GiB",
      help: "Most that the event log's file may grow to; reserves addresses, not disk"),
    Setting(
      name: .memoryLimit, key: "tollbook.memory_limit", kind: .bytes(minimum: 1 << 20),
      standard: "400MiB",
      help: "Memory that the process should get by with: `/cache/health` warns above 80 % of it"),
  ]

  static func named(_ name: SettingName) -> Setting {
    guard let found = all.first(where: { $0.name == name }) else {
      preconditionFailure("every setting stands in the table: \(name)")
    }
    return found
  }
}
