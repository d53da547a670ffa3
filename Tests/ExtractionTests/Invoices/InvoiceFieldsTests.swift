import Extraction
import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport

@Suite struct InvoiceFieldsTests {
  private typealias Samples = InvoiceSamples

  @Test func `an answer is read member by member`() throws {
    let fields = try Samples.good()
    #expect(fields.documentType == .invoice)
    #expect(fields.issueDate == CalendarDay("2026-10-01"))
    #expect(fields.supplier.vatID == "DE123456789")
    #expect(fields.customer.name == "Example Ltd")
    #expect(fields.payment.bic == "COBADEFFXXX")
    #expect(fields.totalGross?.description == "167.20")
    #expect(fields.taxBreakdown.map(\.rate?.description) == ["19", "7.1"])
    #expect(fields.lines.map(\.description) == ["Desk", "Book"])
    #expect(fields.lines[1].productCode == nil)
    #expect(fields.lines[0].unitPrice?.description == "50.00")
  }

  @Test func `missing members, null and blank texts are the same`() throws {
    let empty = try Samples.read("{}")
    #expect(empty == InvoiceFields())
    #expect(
      try Samples.read(
        #"{"supplier":null,"lines":null,"tax_breakdown":[],"total_net":null,"due_date":null}"#)
        == empty)
    #expect(try Samples.read(#"{"payment_terms":" \n ","invoice_number":""}"#) == empty)
  }

  @Test func `a JSON number keeps its digits`() throws {
    let fields = try Samples.read(
      #"{"total_net":119.10,"total_tax":-0,"lines":[{"quantity":12345678901234567.890}]}"#)
    #expect(fields.totalNet?.description == "119.10")
    #expect(fields.totalTax?.description == "0")
    #expect(fields.lines[0].quantity?.description == "12345678901234567.890")
  }

  @Test func `controls in texts become blanks, when read and when written`() throws {
    let name = #""A\u0000B""#
    #expect(throws: InvoiceFault(.zeroCharacter, at: "supplier.name")) {
      try Samples.read(#"{"supplier":{"name":\#(name)}}"#)
    }
    var fields = try Samples.read(
      #"{"supplier":{"name":"A\u001b[2J\nB","address":"Weg 1\r\n10115 \u202eBerlin"}}"#)
    #expect(fields.supplier.name == "A [2J B")
    #expect(fields.supplier.address == "Weg 1 10115 Berlin")
    fields.customer.name = "x\u{1b}]0;y\u{7}"
    #expect(Samples.written(fields).contains(#""customer":{"name":"x ]0;y","vat_id":null}"#))
  }

  @Test func `what is written reads back the same`() throws {
    for fields in [try Samples.good(), InvoiceFields()] {
      let text = Samples.written(fields)
      #expect(try Samples.read(text) == fields)
      #expect(Samples.written(try Samples.read(text)) == text)
    }
    #expect(
      Samples.written(InvoiceFields()).hasPrefix(
        #"{"document_type":null,"invoice_number":null,"issue_date":null,"#))
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `made invoices read back the same`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let fields = Samples.made(&random)
    let text = Samples.written(fields)
    #expect(try Samples.read(text) == fields, "seed \(seed)")
    #expect(Samples.written(try Samples.read(text)) == text, "seed \(seed)")
  }

  @Test(arguments: [
    ("[]", "the answer: this must be an object, not an array"),
    ("null", "the answer: this must be an object, not null"),
    (#"{"total":"1"}"#, "the answer: “total” is not known here"),
    (#"{"total_net":"1","total_net":"2"}"#, "the answer: “total_net” stands here twice"),
    (#"{"total_net":null,"total_n\u0065t":null}"#, "the answer: “total_net” stands here twice"),
    (#"{"supplier":{"iban":"x"}}"#, "supplier: “iban” is not known here"),
    (#"{"customer":{"address":"x"}}"#, "customer: “address” is not known here"),
    (#"{"supplier":"Muster"}"#, "supplier: this must be an object, not a string"),
    (#"{"payment":[]}"#, "payment: this must be an object, not an array"),
    (#"{"lines":{}}"#, "lines: this must be an array, not an object"),
    (#"{"lines":[{},null]}"#, "lines[1]: this must be an object, not null"),
    (#"{"lines":[{},{"nett":"1"}]}"#, "lines[1]: “nett” is not known here"),
    (#"{"invoice_number":77}"#, "invoice_number: this must be a string, not a number"),
    (
      #"{"lines":[{},{},{},{"net":"1,00"}]}"#,
      "lines[3].net: this is no amount: it has a comma, a blank or another separator; "
        + "decimals follow a point"
    ),
    (#"{"total_net":true}"#, "total_net: this must be decimal text, not true or false"),
    (#"{"total_net":""}"#, "total_net: this is no amount: it is empty"),
    (#"{"total_net":1e3}"#, "total_net: this is no amount: it has an exponent"),
    (
      #"{"tax_breakdown":[{"rate":"19%"}]}"#,
      "tax_breakdown[0].rate: this is no amount: it is not a number such as -119.00"
    ),
    (#"{"issue_date":"01.10.2026"}"#, "issue_date: this is not a day like 2026-11-21"),
    (#"{"due_date":"2026-02-30"}"#, "due_date: this is not a day like 2026-11-21"),
    (#"{"due_date":20261001}"#, "due_date: this must be a string, not a number"),
    (#"{"currency":"eur"}"#, "currency: this is not a code of three capitals like EUR"),
    (#"{"currency":"\u212aRW"}"#, "currency: this is not a code of three capitals like EUR"),
    (
      #"{"document_type":"order"}"#,
      "document_type: this is not one of invoice, credit_note, receipt"
    ),
    (
      #"{"supplier":{"name":"x\ud83d"}}"#,
      "supplier.name: this has half of a surrogate pair, which is no character"
    ),
    (
      #"{"payment_terms":"\\\udc00\ud83d"}"#,
      "payment_terms: this has half of a surrogate pair, which is no character"
    ),
    (
      #"{"payment_terms":"\ud83d\u0041"}"#,
      "payment_terms: this has half of a surrogate pair, which is no character"
    ),
    ("{\"invoice_number\":\"a\u{0}\"}", "the answer: not JSON at byte 20: "),
    ("{\"total_net\":\"1\"} thanks", "the answer: not JSON at byte 18: "),
    ("", "the answer: not JSON at byte 0: "),
    ("```json\n{}\n```", "the answer: not JSON at byte 0: "),
  ])
  func `what the schema does not have is named with its place`(text: String, message: String) {
    let fault = #expect(throws: InvoiceFault.self) { try Samples.read(text) }
    // What JSONText says about bytes is its own affair.
    let description = fault?.description ?? ""
    #expect(message.hasSuffix(": ") ? description.hasPrefix(message) : description == message)
  }

  @Test func `whole pairs, the replacement character and a backslash before u are texts`() throws {
    let fields = try Samples.read(
      #"{"invoice_number":"\ud83d\ude00","purchase_order":"\ufffd�","payment_terms":"\\ud83d"}"#)
    #expect(fields.invoiceNumber == "😀")
    #expect(fields.purchaseOrder == "\u{fffd}\u{fffd}")
    #expect(fields.paymentTerms == #"\ud83d"#)
  }

  @Test func `texts have a greatest length in bytes`() throws {
    let longest = String(repeating: "é", count: 1_000)
    #expect(try Samples.read(#"{"payment_terms":"\#(longest)"}"#).paymentTerms == longest)
    #expect(throws: InvoiceFault(.textTooLong(bytes: 2_001), at: "lines[0].description")) {
      try Samples.read(#"{"lines":[{"description":"\#(longest)x"}]}"#)
    }
  }

  @Test func `lines and rows of tax have a greatest number`() throws {
    func array(_ count: Int) -> String {
      "[" + Array(repeating: "{}", count: count).joined(separator: ",") + "]"
    }
    let fields = try Samples.read(
      #"{"lines":\#(array(1_000)),"tax_breakdown":\#(array(100))}"#)
    #expect(fields.lines.count == 1_000)
    #expect(fields.taxBreakdown.count == 100)
    #expect(throws: InvoiceFault(.tooMany(1_001, limit: 1_000), at: "lines")) {
      try Samples.read(#"{"lines":\#(array(1_001))}"#)
    }
    #expect(throws: InvoiceFault(.tooMany(101, limit: 100), at: "tax_breakdown")) {
      try Samples.read(#"{"tax_breakdown":\#(array(101))}"#)
    }
  }

  @Test func `the largest answer that the limits allow is read`() throws {
    // A thousand lines in which every member is there.
    let line = """
      {"id":"1","description":"Desk","product_code":"D","quantity":"1","unit":"pcs",\
      "unit_price":"1.00","net":"1.00","tax_rate":"19","tax_category":"S"}
      """
    let lines = Array(repeating: line, count: 1_000).joined(separator: ",")
    #expect(try Samples.read(#"{"lines":[\#(lines)]}"#).lines.count == 1_000)
  }

  @Test func `hostile answers are faults`() {
    let million = 1 << 20
    let hostile = [
      String(repeating: "[", count: million),
      String(repeating: "[", count: million / 2) + String(repeating: "]", count: million / 2),
      #"{"lines":"# + String(repeating: "[", count: million) + "}",
      #"{"lines":["# + String(repeating: "{},", count: million / 3) + "{}]}",
      #"{"lines":["# + String(repeating: "1,", count: million / 2) + "1]}",
      #"{""# + String(repeating: "a", count: million) + #"":1}"#,
      #"{"total_net":"# + String(repeating: "9", count: million) + "}",
      #"{"supplier":{"name":""# + String(repeating: "\u{301}", count: million / 2) + #""}}"#,
      String(repeating: " ", count: InvoiceFields.maximumBytes) + "{}",
    ]
    for text in hostile {
      let fault = #expect(throws: InvoiceFault.self) { try Samples.read(text) }
      // Nothing hostile gets into a message.
      #expect((fault?.description.utf8.count ?? .max) < 300)
    }
    for bytes in [[0xFF], [0xEF, 0xBB, 0xBF], [0x22, 0xED, 0xA0, 0x80, 0x22], [0]] as [[UInt8]] {
      #expect(throws: InvoiceFault.self) { try InvoiceFields(text: bytes) }
    }
  }

  @Test func `no part of an answer crashes the reader`() throws {
    let text = Array(Samples.written(try Samples.good()).utf8)
    for length in 0..<text.count {
      #expect(throws: InvoiceFault.self) { try InvoiceFields(text: Array(text.prefix(length))) }
    }
    let seed: UInt64 = 7
    var random = SeededGenerator(seed: seed)
    for _ in 0..<500 {
      var changed = text
      for _ in 0..<random.int(1...4) {
        changed[random.int(0...changed.count - 1)] = UInt8(truncatingIfNeeded: random.next())
      }
      // Faults are right, and so are texts that say something else; both are values.
      let fields = try? InvoiceFields(text: changed)
      if let fields { #expect(InvoiceChecks.all(of: fields).count == 11, "seed \(seed)") }
    }
  }
}
