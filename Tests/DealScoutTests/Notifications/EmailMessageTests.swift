import Foundation
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// Mail in which nothing can be hidden.
@Suite struct EmailMessageTests {
  private static let hostile = [
    "\r\n", "\n", "\r", "Bcc: evil@x.example", "\u{0}", "\u{85}", "\u{2028}", ".", "\r\n.\r\n", "ä",
    "=?utf-8?B?QQ==?=", "From ", "🙂", " ", "a", "\t", "Widget", "\u{202E}",
  ]

  private func message(_ subject: String, _ lines: [String] = ["one"]) throws -> EmailMessage {
    try EmailMessage(
      from: EmailAddress("tollbook@shop.example"), to: EmailAddress("ann@home.example"),
      subject: subject, lines: lines, date: Timestamp(milliseconds: 1_795_248_000_000),
      id: "912-mail")
  }

  private func lines(_ message: EmailMessage) -> [String] {
    String(decoding: message.bytes(.lf), as: UTF8.self).components(separatedBy: "\n")
  }

  /// A subject as mail readers show it.
  private func decoded(_ lines: [String]) -> String {
    var text = ""
    for line in lines {
      let word = line.hasPrefix("Subject: ") ? line.dropFirst(9) : line.dropFirst(1)
      guard word.hasPrefix("=?utf-8?B?"), word.hasSuffix("?=") else {
        text += word
        continue
      }
      let data = Data(base64Encoded: String(word.dropFirst(10).dropLast(2))) ?? Data()
      text += String(decoding: data, as: UTF8.self)
    }
    return text
  }

  @Test func `a plain message is as RFC 5322 wants it`() throws {
    let expected = [
      "From: Tollbook <tollbook@shop.example>", "To: <ann@home.example>",
      "Subject: Tollbook: hello",
      "Date: Sat, 21 Nov 2026 08:00:00 +0000", "Message-ID: <912-mail@shop.example>",
      "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: base64", "Auto-Submitted: auto-generated", "", "b25lDQo=", "",
    ]
    #expect(
      String(decoding: try message("Tollbook: hello").bytes(), as: UTF8.self)
        == expected.joined(separator: "\r\n"))
  }

  @Test func `no subject and no text adds a header, a recipient or an end`() throws {
    for seed in 1...300 as ClosedRange<UInt64> {
      var chance = SeededGenerator(seed: seed)
      func text(_ most: Int) -> String {
        (0..<chance.int(0...most)).map { _ in chance.pick(Self.hostile) }.joined()
      }
      let subject = text(40)
      let body = (0..<chance.int(0...5)).map { _ in text(60) }
      let message = try message(subject, body)
      let lines = lines(message)
      let head = lines.prefix { !$0.isEmpty }
      let names = head.filter { !$0.hasPrefix(" ") }.map { $0.prefix { $0 != ":" } }
      #expect(
        names == [
          "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
          "Content-Transfer-Encoding", "Auto-Submitted",
        ], "seed \(seed)")
      for line in lines {
        #expect(line.utf8.count <= 76 && line.utf8.allSatisfy { 0x20...0x7E ~= $0 }, "seed \(seed)")
        #expect(line != ".", "seed \(seed)")
      }
      // And nothing is lost but what steers.
      let folded = head.drop { !$0.hasPrefix("Subject: ") }.dropFirst().prefix { $0.hasPrefix(" ") }
      let own = head.first { $0.hasPrefix("Subject: ") } ?? ""
      #expect(decoded([own] + folded) == message.subject, "seed \(seed)")
      let sent = Data(base64Encoded: lines.drop { !$0.isEmpty }.joined()) ?? Data()
      #expect(
        String(decoding: sent, as: UTF8.self)
          == body.map { $0.inOneLine(atMost: 2_000) + "\r\n" }.joined(), "seed \(seed)")
    }
  }

  @Test func `a text of megabytes is cut at a line`() throws {
    let message = try message(
      "hello", Array(repeating: String(repeating: "x", count: 998), count: 900))
    #expect(message.bytes().count < 150_000)
  }

  @Test(arguments: [
    "ann@home.example", "a.b+c_d=e~f'g@x-y.example", "a@localhost", "1@2.example",
  ])
  func `an address is taken`(text: String) throws {
    #expect(try EmailAddress(text).description == text)
  }

  @Test(arguments: [
    "", "ann", "@home.example", "ann@", "ann@@home.example", "a@b@c", "ann @home.example",
    "ann@home.example\r\nBcc: x@y.example", "ann@home.example,bob@home.example",
    "<ann@home.example>",
    "\"a b\"@home.example", "-oQ/tmp@home.example", ".a@home.example", "a..b@home.example",
    "a.@home.example", "ann@-home.example", "ann@home-.example", "ann@home..example",
    "ann@[127.0.0.1]", "änn@home.example", "ann@hôme.example", "ann;@home.example",
    "a|b@home.example",
    "ann@home.example\u{0}",
  ])
  func `what might be more than an address is refused`(text: String) {
    let problem = #expect(throws: NotificationProblem.self) { try EmailAddress(text) }
    #expect(problem?.field == "address")
  }

  @Test(arguments: ["", "a b", "a>", "a\r\nb", ".", "a.", String(repeating: "a", count: 101)])
  func `what names no message is refused`(id: String) throws {
    let address = try EmailAddress("ann@home.example")
    #expect(throws: NotificationProblem.self) {
      try EmailMessage(
        from: address, to: address, subject: "", lines: [], date: Timestamp(milliseconds: 0), id: id
      )
    }
  }

  @Test(arguments: [
    (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (1_772_928_000_000, "Sun, 8 Mar 2026 00:00:00 +0000"),
    (Int64.min, "Thu, 1 Jan 1970 00:00:00 +0000"), (Int64.max, "Thu, 31 Dec 9998 23:59:59 +0000"),
  ])
  func `dates are those of RFC 5322`(milliseconds: Int64, text: String) {
    #expect(EmailMessage.text(Timestamp(milliseconds: milliseconds)) == text)
  }
}
