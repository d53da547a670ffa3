import Extraction
import Keepa
import Market
import Testing
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

@testable import tollbook

@Suite struct SettingTests {
  @Test(arguments: [
    (SettingKind.duration, "7d", SettingValue.number(604_800_000)),
    (.duration, "12h", .number(43_200_000)), (.duration, "30m", .number(1_800_000)),
    (.duration, "90s", .number(90_000)), (.duration, "0s", .number(0)),
    (.bytes(minimum: 1), "256GiB", .number(1 << 38)), (.bytes(minimum: 1), "1M", .number(1 << 20)),
    (.bytes(minimum: 1), "8193", .number(8_192)), (.onOff, "off", .flag(false)),
    (.onOff, "TRUE", .flag(true)), (.integer(0...65_535), "8000", .number(8_000)),
    (.hosts, " a.example, b.example:81 ,", .list(["a.example", "b.example:81"])),
    (.hosts, "[fe80::1]:80", .list(["[fe80::1]:80"])), (.hosts, "", .list([])),
    (.share, "0.5", .number(5_000)), (.share, "1", .number(10_000)), (.share, "0", .number(0)),
    (.share, "1.0", .number(10_000)), (.share, "0.1234", .number(1_234)),
    (.share, "none", .text("none")),
    (.choice(["never", "allow"]), "allow", .text("allow")), (.text, "x", .text("x")),
  ])
  func `a value is read`(kind: SettingKind, text: String, value: SettingValue) {
    #expect(kind.value(of: text) == value)
  }

  @Test(arguments: [
    (SettingKind.duration, "7"), (.duration, "d"), (.duration, "-1d"), (.duration, "1.5h"),
    (.duration, "99999999999999d"), (.duration, "7 d"), (.bytes(minimum: 1 << 20), "1K"),
    (.bytes(minimum: 1), "1EiB"), (.bytes(minimum: 1), "-1"), (.bytes(minimum: 1), "9999999T"),
    (.onOff, "maybe"), (.integer(0...65_535), "65536"), (.integer(0...65_535), "80x0"),
    (.integer(0...65_535), ""), (.url, "api.keepa.com"), (.url, "http://"),
    (.url, "http://a:65536"), (.url, ""),
    (.hosts, "http://a"), (.hosts, "a:99999"), (.hosts, "a, *"), (.hosts, "fe80::1"),
    (.hosts, "a/b"), (.hosts, "[fe80::1"), (.hosts, "user@a"),
    (.share, "1.01"), (.share, "2"), (.share, "-0.1"), (.share, "50%"), (.share, "0."),
    (.share, ".5"), (.share, "0.12345"), (.share, "0.5.5"), (.share, ""), (.share, "None"),
    (.choice(["never", "allow"]), "Never"),
    (.text, ""),
  ])
  func `what is no value is refused`(kind: SettingKind, text: String) {
    #expect(kind.value(of: text) == nil)
  }

  @Test func `an address is read by the type that requests are made of`() throws {
    let address = try #require(BaseURL("http://localhost:9000"))
    #expect(SettingKind.url.value(of: "http://localhost:9000/") == .url(address))
  }

  @Test(arguments: [(96, 40), (64, 8), (1_024, 968), (1 << 20, 4_096), (8, 1)])
  func `connections leave descriptors for the rest`(_ most: Int, _ connections: Int) {
    #expect(OpenFiles.connections(of: most) == connections)
  }

  @Test func `every setting stands in the table once, with a default that is one`() {
    #expect(Setting.all.map(\.name) == SettingName.allCases)
    #expect(Set(Setting.all.map(\.environment)).count == Setting.all.count)
    for setting in Setting.all {
      if let standard = setting.standard {
        #expect(setting.kind.value(of: standard) != nil, "\(setting.key)")
      }
      #expect(!(setting.isSecret && setting.flag != nil), "\(setting.key) would show in `ps`")
    }
  }

  @Test(arguments: [
    "https://ann:hush@app.example", "https://app.example, https://ann:hush@b.example",
    "https://ann:hush,hush@app.example", "ann:hush@app.example,https://b.example",
    "https://app.example?key=hush", "https://app.example/#hush,hush",
  ])
  func `an origin that is refused is shown without its secret`(_ text: String) async throws {
    let problems = await #expect(throws: SettingsProblems.self) {
      try await SettingsLoader(environment: ["TOLLBOOK_CORS_ORIGINS": text]).load()
    }
    let told = problems?.description ?? ""
    #expect(told.contains("TOLLBOOK_CORS_ORIGINS is “"))
    #expect(!told.contains("hush"), "\(told)")
  }

  @Test func `the defaults are those of the gateway itself`() async throws {
    let settings = try await SettingsLoader().load()

    var defaults = GatewaySettings()
    defaults.products = FreshnessPolicy()
    // A service waits a moment for what else is wanted, and Keepa's lists have windows of their own.
    defaults.gatherTime = 5
    for kind in settings.gateway.freshness.keys where kind != KeepaUpstream.product {
      defaults.freshness[kind] = KeepaUpstream.standardFreshness(of: kind)
    }
    #expect(settings.gateway == defaults)
    #expect(settings.http.port == 8_000)
    #expect(settings.http.host == "127.0.0.1")
    #expect(settings.log.mapSize == 1 << 38)
    #expect(settings.extractRetention == 30)
    #expect(settings.extractSecondLook == .off)
  }

  @Test(arguments: [
    ("off", SecondLook.off), ("repeat", .again), ("gemini-3.5-flash", .by("gemini-3.5-flash")),
  ])
  func `a second look is off, by the same model, or by the one that is named`(
    _ text: String, _ look: SecondLook
  ) async throws {
    var loader = SettingsLoader()
    loader.environment = ["TOLLBOOK_EXTRACT_SECOND_LOOK": text]
    let settings = try await loader.load()
    #expect(settings.extractSecondLook == look)
    #expect(look.text == text)
    _ = try settings.geminiModels()
  }

  @Test func `what may refresh ahead is no more than the exchange allows, and nothing by itself`()
    async throws
  {
    #expect(try await SettingsLoader().load().binanceAhead == 0)
    var loader = SettingsLoader()
    loader.environment = ["BINANCE_AHEAD_WEIGHT": "600"]
    #expect(try await loader.load().binanceAhead == 600)
    let limit = try BinanceWeights(json: BinanceWeights.builtInJSON).perMinute
    #expect(Setting.named(.binanceAhead).kind == .integer(0...Int(limit)))
    for text in ["-1", "\(limit + 1)", "much", "1.5"] {
      loader.environment = ["BINANCE_AHEAD_WEIGHT": text]
      let problems = await #expect(throws: SettingsProblems.self) { try await loader.load() }
      let told = problems?.description ?? ""
      #expect(told.contains("BINANCE_AHEAD_WEIGHT") && told.contains("\(limit)"), "\(told)")
    }
  }

  @Test func `what Binance says is fresh for as long as is set`() async throws {
    #expect(try await SettingsLoader().load().marketFreshness == BinanceFreshness())
    let names = [
      "OPEN_CANDLE", "TICKER", "TRADING_DAY", "BOOK", "DEPTH", "TRADES", "AGG_TRADES",
      "EXCHANGE_INFO", "UNKNOWN_SYMBOL",
    ]
    var loader = SettingsLoader()
    for (index, name) in names.enumerated() {
      loader.environment["BINANCE_\(name)_FRESH"] = "\(index + 20)s"
    }
    let set = try await loader.load().marketFreshness
    let windows = [
      set.openCandle, set.ticker, set.tradingDay, set.book, set.depth, set.trades,
      set.aggregateTrades, set.exchangeInfo, set.unknownSymbol,
    ]
    #expect(windows == (0..<9).map { 1_000 * (20 + $0) })
  }

  @Test func `documents are kept for the days that are set`() async throws {
    for days in [1, 90, 3_650] {
      var loader = SettingsLoader()
      loader.environment = ["TOLLBOOK_EXTRACT_RETENTION_DAYS": "\(days)"]
      #expect(try await loader.load().extractRetention == Int64(days))
    }
  }

  @Test func `photos are kept for the days that are set, and for 90 if none are`() async throws {
    var loader = SettingsLoader()
    #expect(try await loader.load().photoDays == 90)
    for days in [1, 3_650] {
      loader.environment = ["TOLLBOOK_PHOTO_DAYS": "\(days)"]
      #expect(try await loader.load().photoDays == Int64(days))
    }
  }
}
