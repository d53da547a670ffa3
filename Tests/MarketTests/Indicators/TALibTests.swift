import Foundation
import JSONText
import Market
import Testing
import TollbookTestSupport

/// The real TA-Lib from PyPI, unmodified, held against our indicators.
@Suite struct TALibTests {
  /// What ours says, under the names that the script has for it.
  private func series(_ candles: [CandleFigures]) -> [String: [Double?]] {
    let closes = candles.map(\.close)
    let macd = MACD.series(closes)
    let bands = Bollinger.series(closes)
    return [
      "ema9": EMA.series(closes, length: 9), "ema10": EMA.series(closes, length: 10),
      "ema21": EMA.series(closes, length: 21), "ema50": EMA.series(closes, length: 50),
      "ema200": EMA.series(closes, length: 200), "rsi14": RSI.series(closes, length: 14),
      "macd_line": macd.map { $0?.line }, "macd_signal": macd.map { $0?.signal },
      "macd_histogram": macd.map { $0?.histogram }, "bollinger_upper": bands.map { $0?.upper },
      "bollinger_middle": bands.map { $0?.middle }, "bollinger_lower": bands.map { $0?.lower },
      "atr14": ATR.series(candles).map { $0?.range },
    ]
  }

  @Test(
    .enabled("TOLLBOOK_CLIENTS_PYTHON is no Python with TA-Lib and numpy") {
      await TALib.isThere
    },
    arguments: [(1, 60_000), (2, 100), (3, 0.00002)] as [(UInt64, Double)])
  func `TA-Lib has the same values at the same places`(seed: UInt64, price: Double) async throws {
    var random = SeededGenerator(seed: seed)
    let candles = random.candles(300, price: price)
    let theirs = try await TALib.series(candles)
    let ours = series(candles)
    #expect(theirs.keys.sorted() == ours.keys.sorted())
    for (name, values) in ours {
      let found = difference(values, theirs[name] ?? [], within: 1e-8)
      #expect(found == nil, "\(name): ours, theirs")
      #expect(values.last != .some(nil), "\(name)")
    }
  }

  @Test(
    .enabled("TOLLBOOK_CLIENTS_PYTHON is no Python with TA-Lib and numpy") {
      await TALib.isThere
    })
  func `where closes never change TA-Lib's RSI is 0 and ours is none`() async throws {
    let candles = CandleFigures.still(Array(repeating: 61_199.9, count: 300))
    let theirs = try await TALib.series(candles)
    for (name, values) in series(candles) where name != "rsi14" {
      #expect(difference(values, theirs[name] ?? [], within: 1e-8) == nil, "\(name): ours, theirs")
    }
    let zeros = [Double?](repeating: nil, count: 14) + [Double?](repeating: 0, count: 286)
    #expect(theirs["rsi14"] == zeros)
    #expect(RSI.series(candles.map(\.close), length: 14).allSatisfy { $0 == nil })
  }
}

/// Runs the script beside this file with the Python that `tools/test` made.
private enum TALib {
  private static let python = ProcessInfo.processInfo.environment["TOLLBOOK_CLIENTS_PYTHON"]
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "talib_series.py").path

  /// Whether that Python has what the script needs.
  static var isThere: Bool {
    get async {
      guard python != nil else { return false }
      return (try? await run(["-c", "import numpy, talib"]))?.status == 0
    }
  }

  /// What the script reckons, by its names.
  static func series(_ candles: [CandleFigures]) async throws -> [String: [Double?]] {
    let manager = FileManager.default
    let folder = manager.temporaryDirectory.appending(path: "talib-\(UUID().uuidString)")
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: folder) }
    var json = JSONWriter()
    json.object { json in
      json.array("high", candles.map(\.high))
      json.array("low", candles.map(\.low))
      json.array("close", candles.map(\.close))
    }
    let (input, output) = (folder.appending(path: "candles"), folder.appending(path: "answer"))
    try Data(json.bytes).write(to: input)
    let ended = try await run([script, input.path, output.path])
    try #require(ended.status == 0, "\(ended.errors.suffix(2_000))")
    let root = try JSONDocument(Array(Data(contentsOf: output)), maximumDepth: 3).root
    var series: [String: [Double?]] = [:]
    for member in try #require(root.members) {
      series[member.name] = member.value.array?.map(\.double)
    }
    return series
  }

  /// Runs the Python to its end. What it complains of is read when it has ended: it is a few lines, which a pipe holds.
  private static func run(_ arguments: [String]) async throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(python))
    process.arguments = arguments
    process.environment = ["PYTHONWARNINGS": "ignore"]
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do {
        try process.run()
      } catch {
        process.terminationHandler = nil
        continuation.resume(throwing: error)
      }
    }
    let complaint = try errors.fileHandleForReading.readToEnd() ?? Data()
    return (status, String(decoding: complaint, as: UTF8.self))
  }
}
