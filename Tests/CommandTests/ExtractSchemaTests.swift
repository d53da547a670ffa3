import Foundation
import JSONText
import Testing
import TollbookSimulators
import TollbookTestSupport

/// Answers of `POST /extract`, from a process before the simulator, held against the JSON Schema that Tollbook serves.
@Suite struct ExtractSchemaTests {
  private typealias File = (name: String, content: [UInt8])

  private static func file(_ invoice: DrawnInvoice) -> File {
    ("\(invoice.invoiceNumber).pdf", InvoiceDrawing.pdf(invoice))
  }

  /// The answer to some files, as it came.
  private func answer(
    _ files: [File], of serving: Serving, headers: [String: String] = [:]
  ) async throws -> String {
    let answer = try await serving.post(
      "/extract", fields: [("companyID", "default"), ("username", "ann")], files: files,
      headers: headers)
    return String(decoding: answer.bytes, as: UTF8.self)
  }

  @Test(
    .enabled(if: RealClientTests.python != nil, "PyPI could not be reached for jsonschema"))
  func `T18: every answer of extract is what its schema says, and the schema refuses others`()
    async throws
  {
    let folder = try TemporaryFolder()
    let gemini = try await Serving(["simulate", "gemini", "--port", "0"], in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--gemini-simulator",
        gemini.url,
      ], in: folder, environment: ["TOLLBOOK_EXTRACT_SECOND_LOOK": "repeat"])
    let invoice = Self.file(DrawnInvoice(number: 1, seed: 1))
    let wrongSum = Self.file(DrawnInvoice(number: 2, seed: 1, wrongSum: true))
    let receipt = Self.file(
      try #require(
        (3...200).lazy.map { DrawnInvoice(number: $0, seed: 1) }
          .first { $0.documentType == .receipt }))
    let creditNote = Self.file(
      try #require(
        (3...200).lazy.map { DrawnInvoice(number: $0, seed: 1) }
          .first { $0.documentType == .creditNote }))
    let picture: File = ("picture", InvoiceDrawing.png(DrawnInvoice(number: 201, seed: 1)))
    let text: File = ("text.pdf", Array("no document".utf8))

    let schema = String(decoding: try await serving.get("/extract/schema").bytes, as: UTF8.self)
    var cases: [SchemaCase] = []
    func hold(_ name: String, _ answer: String) {
      cases.append(SchemaCase(name: name, schema: schema, answer: answer))
    }
    let good = try await answer([invoice], of: serving)
    hold("an invoice", good)
    let known = try await answer([invoice], of: serving)
    hold("known", known)
    let failed = try await answer([wrongSum], of: serving)
    hold("a wrong sum, looked at twice", failed)
    hold("the same, known", try await answer([wrongSum], of: serving))
    let another = Self.file(DrawnInvoice(number: 204, seed: 1, wrongSum: true))
    // One second look was had: what a budget's window has seen before counts too.
    try await serving.post(
      "/admin/budgets",
      #"{"name":"looks","unit":"requests","limit":1,"window":"day","#
        + #""scope":{"tag":{"look":"second"}}}"#
    )
    let refused = try await answer([another], of: serving)
    hold("a second look that a budget refuses", refused)
    hold("a receipt", try await answer([receipt], of: serving))
    hold("a credit note", try await answer([creditNote], of: serving))
    hold("a picture", try await answer([picture], of: serving))
    try await gemini.post("/_simulator/faults", #"{"rules":[{"kind":"blocked","next":1}]}"#)
    let several = try await answer(
      [invoice, text, Self.file(DrawnInvoice(number: 202, seed: 1)), receipt], of: serving)
    hold("several", several)
    try await gemini.post(
      "/_simulator/faults", #"{"rules":[{"kind":"usage_unequal","next":1}]}"#)
    let estimated = try await answer(
      [Self.file(DrawnInvoice(number: 203, seed: 1))], of: serving)
    hold("an estimate", estimated)
    // What was wanted did happen.
    #expect(known.contains("\"cache_hit\":true"))
    #expect(failed.contains("\"failed\""))
    #expect(failed.contains("\"second_look\":{\"taken\":\"first\""))
    #expect(refused.contains("\"reason\":\"budget_exceeded\""), "\(refused)")
    #expect(estimated.contains("\"estimated\":true"))
    #expect(several.components(separatedBy: "\"error\":").count == 3, "\(several.prefix(500))")

    for (name, answer) in [
      (
        "a hit that was paid for", good.replacing("\"cache_hit\":false", with: "\"cache_hit\":true")
      ),
      ("a source nobody knows", good.replacing("\"gemini_api\"", with: "\"magic\"")),
      ("a verdict nobody knows", good.replacing("\"verdict\":\"ok\"", with: "\"verdict\":\"so\"")),
      ("a member nobody knows", good.replacing("\"pages\"", with: "\"sheets\"")),
      (
        "an amount that is a number",
        good.replacing(/"amount":"([0-9.]+)"/) { "\"amount\":\($0.1)" }
      ),
      (
        "a total that is a number",
        good.replacing(/"total_net":"([0-9.]+)"/) { "\"total_net\":\($0.1)" }
      ),
      (
        "an estimate for no reason",
        good.replacing("\"estimated\":false", with: "\"estimated\":true")
      ),
      (
        "a second look that is missing and taken",
        refused.replacing("\"taken\":\"first\"", with: "\"taken\":\"second\"")
      ),
      (
        "a look without a reason",
        failed.replacing(/"failed_checks":\[[^\]]*\]/, with: "\"failed_checks\":null")
      ),
      ("one of several", "[\(known)]"),
      ("several without names", "[\(good),\(known)]"),
      (
        "a dry run",
        try await self.answer([invoice], of: serving, headers: ["Tollbook-Dry-Run": "1"])
      ),
      ("a refusal", try await self.answer([text], of: serving)),
    ] { hold("wrong: \(name)", answer) }
    try await SchemaCase.check(cases, in: folder)
    _ = await serving.end()
    _ = await gemini.end()
  }
}
