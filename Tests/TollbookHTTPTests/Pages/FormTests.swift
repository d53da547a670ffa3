import Hummingbird
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct FormTokensTests {
  private let tokens = FormTokens()
  private let holder = FormTokens.Holder.visitor("a")

  private func fault(
    _ text: String?, _ holder: FormTokens.Holder, at now: Int64 = 0
  ) -> FormTokens.Fault? {
    do throws(FormTokens.Fault) {
      try tokens.check(text, for: holder, at: now)
      return nil
    } catch { return error }
  }

  @Test func `a token counts for whom it was made, for four hours`() {
    let token = tokens.token(for: holder, at: 1_000).text
    #expect(fault(token, holder, at: 1_000) == nil)
    #expect(fault(token, holder, at: 14_400_999) == nil)
    #expect(fault(token, holder, at: 14_401_000) == .tooOld)
  }

  @Test func `another's does not, nor a visitor's for a session, nor one of another process`() {
    let token = tokens.token(for: holder, at: 0).text
    #expect(fault(token, .visitor("b")) == .foreign)
    #expect(fault(token, .session("a")) == .foreign)
    #expect(fault(FormTokens().token(for: holder, at: 0).text, holder) == .foreign)
  }

  @Test func `none is none`() {
    #expect(fault(nil, holder) == .missing)
    #expect(fault("", holder) == .missing)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `a token that differs anywhere does not count`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let token = Array(tokens.token(for: holder, at: 0).text.utf8)
    var changed = token
    switch generator.int(0...3) {
    case 0: changed.removeLast(generator.int(1...token.count))
    case 1: changed.insert(UInt8(generator.int(32...126)), at: generator.int(0...token.count))
    default:
      let place = generator.int(0...token.count - 1)
      changed[place] = UInt8(generator.int(32...126))
    }
    let text = String(decoding: changed, as: UTF8.self)
    // Hexadecimal digits may be written large.
    guard changed != token, text.lowercased() != String(decoding: token, as: UTF8.self) else {
      return
    }
    #expect(fault(text, holder) != nil)
  }

  @Test func `who sets the end of a token himself is refused`() {
    let mac = tokens.token(for: holder, at: 0).text.split(separator: ".")[1]
    for end in ["9223372036854775807", "-1", "+14400000", "014400000", "99999999999999999999"] {
      #expect(fault("\(end).\(mac)", holder) == .foreign)
    }
    #expect(fault(tokens.token(for: holder, at: .max).text, holder, at: .max - 1) == nil)
  }
}

@Suite struct FormFieldsTests {
  private func fields(_ text: String) throws(Problem) -> FormFields {
    try FormFields(Array(text.utf8), once: ["a", "b"], several: ["c"])
  }

  @Test func `a form is read as browsers write it`() throws {
    let fields = try fields("a=x+y%26%3D%2B%C3%A9&b=&c=1&c=&c=2&&")
    #expect(fields["a"] == "x y&=+é")
    #expect(fields["b"] == nil)
    #expect(fields.values(of: "c") == ["1", "2"])
    #expect(try self.fields("a")["a"] == nil)
    #expect(try self.fields("a=b=c")["a"] == "b=c")
    #expect(try self.fields("a=/deals").ownPath("a") == "/deals")
    #expect(try self.fields("a=//evil.example").ownPath("a") == nil)
  }

  @Test(arguments: [
    ("d=1", "invalid-field", "d"), ("a=1&a=2", "invalid-field", "a"),
    ("a=&a=2", "invalid-field", "a"), ("a=%", "unreadable-body", nil),
    ("a=%zz", "unreadable-body", nil), ("a=%ff", "unreadable-body", nil),
    ("%C3=1", "unreadable-body", nil), ("%0A<d>=1", "invalid-field", "<d>"),
  ])
  func `what is no such form is refused`(
    _ text: String, _ kind: String, _ field: String?
  ) throws {
    let problem = try #require(throws: Problem.self) { try fields(text) }
    #expect(problem.kind?.name == kind)
    #expect(problem.field == field)
  }

  @Test func `a form may have two hundred fields`() throws {
    let many = Array(repeating: "c=1", count: 200).joined(separator: "&")
    #expect(try fields(many).values(of: "c").count == 200)
    #expect(throws: Problem.self) { try fields(many + "&c=1") }
  }

  @Test func `a field that is missing is named`() throws {
    let problem = try #require(throws: Problem.self) {
      try fields("a=1").require("b", "the listing")
    }
    #expect(problem.field == "b")
    #expect(problem.detail == "b is missing: the listing")
  }
}
