import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Extraction

/// What tests of second looks are played with.
enum SecondLookScene {
  static let company = FormPart.text("companyID", "default")
  static let form = [company, file(1)]

  static func file(_ number: Int, wrongSum: Bool = false) -> FormPart {
    .file(
      "\(number).pdf",
      InvoiceDrawing.pdf(DrawnInvoice(number: number, seed: 1, wrongSum: wrongSum)))
  }

  /// What a model says of an invoice of which every check is right, with another total.
  static func text(gross: String) throws -> String {
    InvoiceSamples.written(
      try InvoiceSamples.good(
        replacing: #""total_gross":"167.20""#, with: #""total_gross":\#(gross)"#))
  }

  /// A model that says one thing after the other; the last again and again. Each answer costs 20 tokens more.
  static func server(_ stub: StubGemini, _ grosses: [String]) throws
    -> Router<BasicRequestContext>
  {
    let texts = try grosses.map(text)
    return stub.router { number in
      StubGemini.answer(
        texts[min(number, texts.count) - 1], prompt: 100, candidates: 20 * number)
    }
  }

  static func failed(_ answer: Answer, _ look: Int) -> [String]? {
    answer["second_look.looks.\(look).failed_checks"]?.array?.compactMap { $0.string }
  }

  static func limit(
    _ limit: Int64, _ stand: ExtractionStand, tag: String = ""
  ) async throws {
    var scope = BudgetRow.Scope()
    scope.tag = tag
    let order = try BudgetOrder(
      name: "calls", scope: scope, unit: "requests", limit: limit, window: .day,
      units: ["requests"], upstreams: ["gemini"])
    try await SetBudget(order, now: stand.time.now, actor: "test").run(
      on: stand.log, default: "default")
  }
}
