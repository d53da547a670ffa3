import ArgumentParser
import TollbookSimulators

/// `tollbook simulate binance`
struct SimulateBinanceCommand: SimulatorCommand {
  static let usualPort = 9_002
  static let configuration = CommandConfiguration(
    commandName: "binance",
    abstract: "Run a stand-in for Binance: its market data, its request weights, its bans.",
    discussion: """
      It answers the public paths under /api/v3. Prices and trades are invented from \
      the seed, the same ones every time. What it counted stands at \
      /_simulator/books; faults are set by POST to /_simulator/faults, a wrong clock \
      and the weight of others at the same address by POST to /_simulator/conditions.

      Example:
        tollbook simulate binance --port 9002 --weight-limit 600
      """)

  @OptionGroup var serving: SimulatorOptions<Self>

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How many symbols it lists.", valueName: "number"))
  var symbols = 200

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What its market is made from.", valueName: "number"))
  var seed: UInt64 = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Request weight that an address has a minute.", valueName: "weight"))
  var weightLimit = 6_000

  func validate() throws {
    guard (1...BinanceListing.mostSymbols).contains(symbols) else {
      throw ValidationError(
        "--symbols is \(symbols); name 1 to \(BinanceListing.mostSymbols).")
    }
    guard (1...1_000_000_000).contains(weightLimit) else {
      throw ValidationError("--weight-limit is \(weightLimit); name 1 to 1000000000.")
    }
  }

  func run() async throws {
    var configuration = BinanceSimulatorConfiguration()
    configuration.symbols = symbols
    configuration.seed = seed
    configuration.weightLimit = weightLimit
    configuration.latency = serving.latencyMs
    try await SimulatorOnPort.run(BinanceSimulator(configuration), port: serving.port) { url in
      """
      A simulated Binance is ready at \(url)
      It takes no key. Try it: curl '\(url)/api/v3/klines?symbol=BTCUSDT&interval=1h'
      What it counted: curl \(url)/_simulator/books
      """
    }
  }
}
