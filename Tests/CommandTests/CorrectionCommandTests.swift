import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// Corrections, bills and statements of a month from the command line: with a service that runs, and without one.
@Suite struct CorrectionCommandTests {
  private let folder: TemporaryFolder
  private let place = ["--data-dir", "data"]

  init() throws { folder = try TemporaryFolder() }

  private func serve() async throws -> Serving {
    try await Serving(["serve", "--simulate", "--port", "0"] + place, in: folder)
  }

  private func run(_ arguments: [String]) async throws -> Ended {
    try await Binary.run(arguments + place, in: folder)
  }

  private func run(_ arguments: String) async throws -> Ended {
    try await run(arguments.split(separator: " ").map(String.init))
  }

  /// Buys three products.
  ///
  /// - Returns: the position of the charge, and its day.
  private func buy(_ serving: Serving) async throws -> (charge: Int, day: String) {
    _ = try await serving.batch(["B000000001", "B000000002", "B000000003"])
    let charge = try #require(try await serving.get("/ledger/charges")["charges"]?[0])
    let position = try #require(charge["position"]?.int)
    return (position, String(try #require(charge["time"]?.string).prefix(10)))
  }

  @Test(arguments: [true, false])
  func `a charge is corrected, and all figures follow`(isServed: Bool) async throws {
    let serving = try await serve()
    let (charge, day) = try await buy(serving)
    if !isServed { #expect(await serving.end().status == 0) }
    let corrected = try await run([
      "correct", "--position", "\(charge)", "--units", "-2", "--reason", "booked twice",
    ])
    #expect(corrected.status == 0, "\(corrected.errors)")
    #expect(
      corrected.output.hasPrefix("The charge at position \(charge) is corrected by -2 tokens"))
    let refused = try await run([
      "correct", "--position", "\(charge)", "--units", "-2", "--reason", "again",
    ])
    #expect(refused.status == 1)
    #expect(refused.errors.contains("would take the charge below zero: it stands at 1 token"))
    #expect(try await run("correct --position 0 --units -2 --reason r").status == 2)
    let audit = try await run("audit")
    #expect(audit.output.contains("corrected"))
    let replayed = try await run("audit --replay")
    #expect(replayed.status == 0, "\(replayed.output)")
    let month = try await run("usage --account default --month \(day.prefix(7)) --format csv")
    #expect(month.status == 0, "\(month.errors)")
    #expect(month.lines.count == 2)
    #expect(
      month.lines[1].hasPrefix(
        "default,\(day.prefix(7)),UTC,keepa.product,,tokens,1,3,-2,0,0,1,1,"))
    let table = try await run("usage --account default --month \(day.prefix(7))")
    #expect(table.output.contains("In all 1 token."))
    #expect(table.output.contains("As of position"))
    let json = try await run("usage --account default --month \(day.prefix(7)) --format json")
    let root = try JSONDocument(Array(json.output.utf8)).root
    #expect(root["rows"]?[0]?["corrected"]?.int == -2)
    #expect(root["root"]?.string?.count == 64)
    if isServed { #expect(await serving.end().status == 0) }
    #expect(try await run("verify").status == 0)
    #expect(try await run("replay verify").status != 1)
  }

  @Test func `what a statement or a review cannot be is refused`() async throws {
    let serving = try await serve()
    _ = try await buy(serving)
    #expect(await serving.end().status == 0)
    for (arguments, status, text) in [
      ("usage --month 2026-11", 2, "Say with --account"),
      ("usage --account default --month november", 2, "is no month"),
      ("usage --account default --month 2026-11 --weekly", 2, "leave --daily"),
      ("usage --format csv", 2, "--format goes with --month"),
      ("usage --account nobody", 1, "there is no account nobody"),
    ] as [(String, Int32, String)] {
      let ended = try await run(arguments)
      #expect(ended.status == status, "\(arguments)")
      #expect(ended.errors.contains(text), "\(arguments): \(ended.errors)")
    }
    let review = try await run("usage --account default --weekly")
    #expect(review.status == 0)
    #expect(review.output.hasPrefix("Weekly review of default: "))
    #expect(review.output.contains(", days of UTC"))
    #expect(!review.output.contains("in the cache"))
  }

  @Test func `a bill is compared, its differences are told, and ends with 1`() async throws {
    let serving = try await serve()
    let (_, day) = try await buy(serving)
    let file = folder.path + "/bill.csv"
    func write(_ text: String) throws {
      try text.write(toFile: file, atomically: true, encoding: .utf8)
    }
    try write("day,operation,units\n\(day),keepa.product,3\n")
    let same = try await run(["reconcile", "--invoice", file])
    #expect(same.status == 0, "\(same.errors)")
    #expect(same.output == "1 figure compared; the bill and the ledger agree.\n")
    try write("day,operation,units\n\(day),keepa.product,5\n")
    let other = try await run(["reconcile", "--invoice", file])
    #expect(other.status == 1)
    #expect(other.lines.count == 3)
    #expect(other.lines[1].contains("+2"))
    let csv = try await run(["reconcile", "--invoice", file, "--format", "csv"])
    #expect(csv.status == 1)
    #expect(csv.lines.last == "\(day),keepa.product,tokens,5,3,3,2")
    let json = try await run(["reconcile", "--invoice", file, "--format", "json"])
    let root = try JSONDocument(Array(json.output.utf8)).root
    #expect(root["differences"]?.int == 1)
    #expect(root["rows"]?[0]?["difference"]?.int == 2)
    try write("day,operation,units\n\(day),keepa.product,many\n")
    let wrong = try await run(["reconcile", "--invoice", file])
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("line 2: units is “many”"))
    #expect(try await run(["reconcile", "--invoice", file, "--post"]).status == 2)
    #expect(try await run(["reconcile", "--invoice", file, "--reason", "r"]).status == 2)
    #expect(try await run(["reconcile", "--invoice", "nowhere.csv"]).status == 1)
    // Of a day that is not over nothing is posted.
    try write("day,operation,units\n\(day),keepa.product,5\n")
    let today = try await run(["reconcile", "--invoice", file, "--post", "--reason", "bill 114"])
    #expect(today.status == 1)
    #expect(today.errors.contains("the day \(day) is not over in UTC"))
    // Of a day before the first call it is.
    try write("day,operation,units\n2026-01-05,keepa.product,4\n")
    let posted = try await run(["reconcile", "--invoice", file, "--post", "--reason", "bill 114"])
    #expect(posted.status == 0, "\(posted.errors)")
    #expect(posted.output.contains("1 difference posted as unexplained."))
    let twice = try await run(["reconcile", "--invoice", file, "--post", "--reason", "bill 114"])
    #expect(twice.status == 1)
    #expect(twice.errors.contains("this bill was posted already"))
    #expect(try await run(["reconcile", "--invoice", file]).status == 0)
    #expect(await serving.end().status == 0)
    #expect(try await run("events --type InvoicePosted").lines.count == 1)
  }
}
