import Foundation
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import Extraction

@Suite("what tokens cost") struct GeminiPriceTests {
  private static let models: GeminiModels = {
    do { return try GeminiModels(json: GeminiModels.builtInJSON) } catch {
      preconditionFailure("\(error)")
    }
  }()

  private func price(_ model: String, _ day: String) throws -> GeminiPrice {
    let day = try #require(CalendarDay(day))
    return try #require(Self.models.model(model)?.price(on: day))
  }

  @Test func `the published example costs to the nano-dollar what it should`() throws {
    let usage = GeminiUsage(prompt: 12_000, cached: 4_096, candidates: 700, thoughts: 300)
    let cost = try #require(try price("gemini-3.8-flash", "2026-11-21").cost(of: usage))
    #expect(DecimalText.text(nanoUnits: cost.nanoUnits) == "0.0099852")
    #expect(!cost.isEstimated)
  }

  @Test func `a price has days, and the last one holds on`() throws {
    let usage = GeminiUsage(prompt: 1_000_000, candidates: 1_000_000)
    #expect(
      try price("gemini-3.8-flash", "2026-12-31").cost(of: usage)?.nanoUnits == 4_500_000_000)
    #expect(
      try price("gemini-3.8-flash", "2027-01-01").cost(of: usage)?.nanoUnits == 9_000_000_000)
    #expect(
      try price("gemini-3.8-flash", "2031-07-01").cost(of: usage)?.nanoUnits == 9_000_000_000)
    #expect(Self.models.model("gemini-3.8-flash")?.price(on: CalendarDay("2026-10-06")!) == nil)
  }

  @Test func `cached tokens without a price count in full, and the cost says that it is a guess`()
    throws
  {
    let usage = GeminiUsage(prompt: 1_000_000, cached: 600_000)
    let cost = try #require(try price("gemini-3.5-flash-lite", "2026-11-21").cost(of: usage))
    #expect(cost.nanoUnits == 300_000_000)
    #expect(cost.estimates == [.cachedPrice])
  }

  @Test func `a cost says what makes it an estimate, and only that`() throws {
    let (known, unknown) = (
      try price("gemini-3.8-flash", "2026-11-21"), try price("gemini-3.8-flash", "2027-01-01")
    )
    var usage = GeminiUsage(prompt: 10, cached: 0, candidates: 1)
    #expect(unknown.estimates(of: usage).text == nil)
    usage.cached = 1
    #expect(known.estimates(of: usage) == [])
    #expect(
      unknown.estimates(of: usage).text
        == "no price of cached tokens is known, so they count in full")
    usage.isUnequal = true
    #expect(known.estimates(of: usage) == [.unequalUsage])
    #expect(
      unknown.estimates(of: usage).text
        == "no price of cached tokens is known, so they count in full; the counts that the"
        + " provider tells do not fit together, so the dearer reading counts")
  }

  @Test func `a longer prompt is dearer for all of it`() throws {
    let pro = try price("gemini-3.1-pro-preview", "2026-11-21")
    #expect(pro.cost(of: GeminiUsage(prompt: 200_000))?.nanoUnits == 400_000_000)
    #expect(pro.cost(of: GeminiUsage(prompt: 200_001))?.nanoUnits == 800_004_000)
  }

  @Test func `a model without a price of output is not bought from`() throws {
    let usage = GeminiUsage(prompt: 10, candidates: 1)
    #expect(try price("gemini-2.5-pro", "2026-11-21").cost(of: usage) == nil)
    #expect(try price("gemini-2.5-pro", "2026-11-21").bound(input: 10, output: 1) == nil)
  }

  @Test func `no usage within the bounds costs more than the bound`() throws {
    for seed in 0..<200 {
      var numbers = SeededGenerator(seed: UInt64(seed))
      let name = ["gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-3.1-pro-preview"][seed % 3]
      let price = try price(name, "2026-11-21")
      let input = Int64.random(in: 0...400_000, using: &numbers)
      let output = Int64.random(in: 0...70_000, using: &numbers)
      let bound = try #require(price.bound(input: input, output: output))
      for _ in 0..<20 {
        let prompt = Int64.random(in: 0...input, using: &numbers)
        let candidates = Int64.random(in: 0...output, using: &numbers)
        let usage = GeminiUsage(
          prompt: prompt, cached: Int64.random(in: 0...prompt, using: &numbers),
          candidates: candidates,
          thoughts: Int64.random(in: 0...output - candidates, using: &numbers))
        let cost = try #require(price.cost(of: usage))
        #expect(cost.nanoUnits <= bound, "seed \(seed), \(usage)")
      }
    }
  }

  @Test func `two hundred costs are those that Python counts by itself`() throws {
    var lines: [String] = []
    var costs: [String] = []
    var numbers = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      let (name, day) = [
        ("gemini-3.8-flash", "2026-11-21"), ("gemini-3.8-flash", "2027-03-01"),
        ("gemini-3.5-flash", "2026-11-21"), ("gemini-3.5-flash-lite", "2026-11-21"),
        ("gemini-3.1-pro-preview", "2026-11-21"),
      ].randomElement(using: &numbers)!
      var usage = GeminiUsage(prompt: Int64.random(in: 0...400_000, using: &numbers))
      usage.cached = Int64.random(in: 0...usage.prompt, using: &numbers)
      usage.candidates = Int64.random(in: 0...65_536, using: &numbers)
      usage.thoughts = Int64.random(in: 0...65_536, using: &numbers)
      usage.toolUse = Int64.random(in: 0...9_999, using: &numbers)
      lines.append(
        "\(name) \(day) \(usage.prompt) \(usage.cached) \(usage.candidates) \(usage.thoughts)"
          + " \(usage.toolUse)")
      costs.append(try #require(try price(name, day).cost(of: usage)).nanoUnits.description)
    }
    let counted = try Self.python(Self.program, lines.joined(separator: "\n"))
    #expect(counted.split(separator: "\n").map(String.init) == costs)
  }

  /// The published prices, written down once more.
  private static let program = """
    import sys
    from fractions import Fraction as F
    from math import ceil
    prices = {
      ("gemini-3.8-flash", "2026"): [(None, "0.75", "3.75", "0.075")],
      ("gemini-3.8-flash", "2027"): [(None, "1.5", "7.5", "1.5")],
      ("gemini-3.5-flash", "2026"): [(None, "1.5", "9", "1.5")],
      ("gemini-3.5-flash-lite", "2026"): [(None, "0.3", "2.5", "0.3")],
      ("gemini-3.1-pro-preview", "2026"): [(200000, "2", "12", "2"), (None, "4", "18", "4")],
    }
    for line in sys.stdin.read().split("\\n"):
      name, day, *counts = line.split()
      prompt, cached, candidates, thoughts, tool = map(int, counts)
      band = next(b for b in prices[name, day[:4]] if b[0] is None or prompt <= b[0])
      _, i, o, c = band
      dollars = ((prompt - cached + tool) * F(i) + cached * F(c) + (candidates + thoughts) * F(o)) / 10**6
      print(ceil(dollars * 10**9))
    """

  private static func python(_ program: String, _ input: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program]
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let bytes = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: bytes, as: UTF8.self)
  }
}
