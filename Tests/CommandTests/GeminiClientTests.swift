import Foundation
import JSONText
import Testing
import TollbookSimulators
import TollbookTestSupport

/// The real client of Gemini from PyPI, unmodified, in both its generations, against a real Tollbook before the simulator.
@Suite struct GeminiClientTests {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Clients/genai_calls.py").path

  /// The folders of the client's generations, as `tools/test` filled them, beside the Python that reads them.
  private static let generations = ["genai-1", "genai-3"]

  private static func folder(_ generation: String) throws -> String {
    let python = try #require(RealClientTests.python)
    return URL(fileURLWithPath: python).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: generation).path
  }

  @Test(
    .enabled(
      if: RealClientTests.python != nil, "PyPI could not be reached for the client google-genai"),
    arguments: generations)
  func `every call of the client gets what Gemini would answer, and is charged once`(
    _ generation: String
  ) async throws {
    let folder = try TemporaryFolder()
    let invoice = DrawnInvoice(number: 1, seed: 1)
    try Data(InvoiceDrawing.pdf(invoice)).write(
      to: URL(fileURLWithPath: "\(folder.path)/invoice.pdf"))
    let gemini = try await Serving(["simulate", "gemini", "--port", "0"], in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--gemini-simulator",
        gemini.url,
      ], in: folder, environment: ["TOLLBOOK_ACCESS_KEY": "an-access-key"])
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(RealClientTests.python))
    process.arguments = [Self.script, "\(serving.url)/gemini", "an-access-key", "invoice.pdf"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = [
      "HOME": folder.path, "TMPDIR": folder.path, "PYTHONWARNINGS": "ignore",
      "PYTHONPATH": try Self.folder(generation),
    ]
    let (output, errors) = (Lines(), Lines())
    process.standardOutput = output.pipe
    process.standardError = errors.pipe
    try process.run()
    let (text, complaint) = (await output.all(), await errors.all())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(complaint.suffix(2_000))")
    let calls = try text.split(separator: "\n").map { try JSONDocument(Array($0.utf8)).root }
    let names = calls.compactMap { $0["call"]?.string }
    #expect(
      names == [
        "text", "document", "stream", "count", "models", "cached", "unknown model", "async",
      ])
    for call in calls {
      #expect(call["ok"]?.bool == true, "\(String(decoding: call.bytes, as: UTF8.self))")
    }
    #expect(calls.count > 1 && calls[1]["number"]?.string == invoice.invoiceNumber)
    // What the client was told is what the provider's books hold.
    let books = try JSONDocument(
      Data(contentsOf: try #require(URL(string: "\(gemini.url)/_simulator/books"))).map(\.self)
    ).root
    let told = calls.reduce(Int64(0)) { $0 + ($1["tokens"]?.int64 ?? 0) }
    let charged = ["prompt", "candidates", "thoughts", "tool_use"].reduce(Int64(0)) {
      $0 + (books["tokens"]?[$1]?.int64 ?? 0)
    }
    #expect(charged == told)
    _ = await serving.end()
    _ = await gemini.end()
  }
}
