import Extraction
import Foundation
import JSONText
import Testing

@Suite struct InvoiceSchemaTests {
  private static let amounts: Set<String> = [
    "lines_net_total", "allowance_total", "charge_total", "total_net", "total_tax", "total_gross",
    "amount_paid", "rounding", "amount_due", "base", "amount", "rate", "quantity", "unit_price",
    "net", "tax_rate",
  ]

  private let schema: JSONValue

  init() throws { schema = try JSONDocument(InvoiceSchema.responseSchema).root }

  private func names(_ value: JSONValue?) -> [String] { value?.members?.map(\.name) ?? [] }

  private func texts(_ value: JSONValue?) -> [String] {
    value?.array?.compactMap(\.string) ?? []
  }

  /// Every schema inside of a schema, with the name of its member.
  private func all(_ schema: JSONValue, _ name: String = "") -> [(name: String, JSONValue)] {
    let inner = schema["properties"]?.members?.flatMap { all($0.value, $0.name) } ?? []
    return [(name, schema)] + inner + (schema["items"].map { all($0) } ?? [])
  }

  @Test func `the members are those of the sheet, in order`() {
    let properties = schema["properties"]
    #expect(
      names(properties) == [
        "document_type", "invoice_number", "issue_date", "due_date", "period_start", "period_end",
        "currency", "supplier", "customer", "purchase_order", "payment_terms", "payment",
        "lines_net_total", "allowance_total", "charge_total", "total_net", "total_tax",
        "total_gross", "amount_paid", "rounding", "amount_due", "tax_breakdown", "lines",
      ])
    #expect(names(properties?["supplier"]?["properties"]) == ["name", "vat_id", "address"])
    #expect(names(properties?["customer"]?["properties"]) == ["name", "vat_id"])
    #expect(names(properties?["payment"]?["properties"]) == ["iban", "bic"])
    #expect(
      names(properties?["tax_breakdown"]?["items"]?["properties"])
        == ["base", "amount", "category", "rate"])
    #expect(
      names(properties?["lines"]?["items"]?["properties"]) == [
        "id", "description", "product_code", "quantity", "unit", "unit_price", "net", "tax_rate",
        "tax_category",
      ])
    #expect(
      texts(properties?["document_type"]?["enum"]) == ["invoice", "credit_note", "receipt"])
  }

  @Test func `every part has a type in capitals, and objects an order`() {
    let known: Set<String> = [
      "type", "description", "nullable", "enum", "properties", "required", "propertyOrdering",
      "items",
    ]
    for (name, part) in all(schema) {
      let type = part["type"]?.string
      #expect(["STRING", "OBJECT", "ARRAY"].contains(type), "\(name)")
      #expect(known.isSuperset(of: names(part)), "\(name)")
      #expect((part["nullable"]?.bool == true) == (type == "STRING"), "\(name)")
      if Self.amounts.contains(name) { #expect(type == "STRING", "\(name)") }
      guard type == "OBJECT" else {
        #expect((1...100).contains(part["description"]?.string?.count ?? 0), "\(name)")
        continue
      }
      #expect(texts(part["propertyOrdering"]) == names(part["properties"]), "\(name)")
      #expect(Set(names(part["properties"])).isSuperset(of: texts(part["required"])), "\(name)")
    }
    let found = Set(all(schema).map(\.name))
    #expect(found.isSuperset(of: Self.amounts))
  }

  @Test func `what is asked for changes only with its version`() throws {
    #expect(InvoiceSchema.name == "invoice")
    let prompt = try #require(InvoicePrompt.text())
    // FNV-1a of 64 bits. Whoever changes the schema or the prompt sets a new version, and then this number.
    let digest = (InvoiceSchema.responseSchema + Array(prompt.utf8)).reduce(
      0xcbf2_9ce4_8422_2325 as UInt64
    ) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    #expect(InvoiceSchema.version == "1")
    #expect(digest == 9_233_993_662_581_383_350)
  }

  @Test func `the prompt says what to write and what to leave`() throws {
    let prompt = try #require(InvoicePrompt.text("1"))
    for words in ["write null", "YYYY-MM-DD", "decimal text with a point", "data", "Never guess"] {
      #expect(prompt.contains(words))
    }
    #expect(InvoicePrompt.text("0") == nil)
  }

  // MARK: - The schema of the HTTP answer

  private func answerSchema() throws -> JSONValue {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../Sources/Extraction/Invoices/ExtractAnswer.schema.json")
    let schema = try JSONDocument(Array(Data(contentsOf: file))).root
    return try #require(schema["$defs"])
  }

  @Test func `the answer's schema has the fields that are written`() throws {
    let answer = try #require(answerSchema()["document"])
    let written = try JSONDocument(Array(InvoiceSamples.written(InvoiceSamples.good()).utf8)).root
    func compare(_ schema: JSONValue?, _ value: JSONValue, _ place: String) {
      if let element = value.array?.first {
        return compare(schema?["items"], element, place + "[]")
      }
      guard let members = value.members else { return }
      #expect(names(schema?["properties"]) == members.map(\.name), "\(place)")
      #expect(texts(schema?["required"]) == members.map(\.name), "\(place)")
      #expect(schema?["additionalProperties"]?.bool == false, "\(place)")
      for member in members {
        compare(schema?["properties"]?[member.name], member.value, "\(place).\(member.name)")
      }
    }
    compare(answer["properties"]?["fields"], written, "fields")
  }

  @Test func `the answer's schema has the shape and the rules`() throws {
    let parts = try answerSchema()
    let answer = try #require(parts["document"])
    let shape = [
      "document_type", "fields", "checks", "pages", "model", "tokens", "cost", "credential",
      "source", "cache_hit", "second_look",
    ]
    #expect(names(answer["properties"]) == ["file"] + shape)
    #expect(texts(answer["required"]) == shape)
    #expect(texts(answer["properties"]?["source"]?["enum"]) == ["cache", "gemini_api"])
    #expect(
      names(parts["tokens"]?["properties"])
        == ["prompt", "cached", "candidates", "thoughts", "tool", "total"])
    #expect(
      names(parts["cost"]?["properties"])
        == ["amount", "currency", "estimated", "estimated_because"])
    let checks = answer["properties"]?["checks"]
    let rules = InvoiceCheck.Rule.allCases.map(\.rawValue)
    #expect(texts(parts["rule"]?["enum"]) == rules)
    let second = ["taken", "looks", "error"]
    #expect(names(parts["second_look"]?["properties"]) == second)
    #expect(texts(parts["second_look"]?["required"]) == second)
    let look = [
      "model", "tokens", "cost", "credential", "source", "cache_hit", "failed_checks",
    ]
    #expect(names(parts["look"]?["properties"]) == look)
    #expect(texts(parts["look"]?["required"]) == look)
    #expect(checks?["minItems"]?.int == rules.count && checks?["maxItems"]?.int == rules.count)
    var json = JSONWriter()
    json.value(InvoiceCheck(.totalNet, .notApplicable, detail: "total_net is not known"))
    #expect(json.string == #"{"rule":"BR-CO-13","verdict":"not_applicable","difference":null}"#)
    #expect(
      names(checks?["items"]?["properties"]) == names(try JSONDocument(json.bytes).root))
  }
}
