import Foundation
package import TollbookEvents

/// A message as `sendmail` takes it, in plain text.
///
/// Whatever stands in the texts, they add no header and no recipient: addresses are of a narrow form, the subject and
/// names are encoded (RFC 2047) unless they are plain, and the text is base64 (RFC 2045), in which nothing can end the
/// message.
package struct EmailMessage: Hashable, Sendable {
  /// How lines end.
  package enum LineBreak: String, Sendable {
    /// As RFC 5322 demands it.
    case crlf = "\r\n"
    /// As `sendmail` takes it from a pipe.
    case lf = "\n"
  }

  private static let longestSubject = 200
  /// In bytes.
  private static let longestText = 100_000
  /// RFC 5322 §2.1.1.
  private static let lineLength = 76

  package let from: EmailAddress
  package let to: EmailAddress
  package let subject: String
  /// Lines of text.
  package let lines: [String]
  package let date: Timestamp
  /// Names the message, the same over all tries.
  package let id: String

  /// - Parameters:
  ///   - id: letters, digits, dots and dashes; at most 100 bytes.
  package init(
    from: EmailAddress, to: EmailAddress, subject: String, lines: [String], date: Timestamp,
    id: String
  ) throws(NotificationProblem) {
    let isProper =
      1...100 ~= id.utf8.count
      && id.split(separator: ".", omittingEmptySubsequences: false)
        .allSatisfy { part in
          !part.isEmpty
            && part.utf8.allSatisfy { byte in
              switch byte {
              case 48...57, 65...90, 97...122, UInt8(ascii: "-"): true
              default: false
              }
            }
        }
    guard isProper else {
      throw NotificationProblem(
        "id",
        "“\(id.inOneLine(atMost: 60))” names no message; it is made of letters, digits, . and -"
      )
    }
    self.from = from
    self.to = to
    self.subject = subject.inOneLine(atMost: Self.longestSubject)
    self.lines = lines
    self.date = date
    self.id = id
  }

  /// The whole message: headers, an empty line, the text.
  package func bytes(_ lineBreak: LineBreak = .crlf) -> [UInt8] {
    let host = from.description.split(separator: "@").last ?? "localhost"
    var text: [String] = [
      "From: Tollbook <\(from)>", "To: <\(to)>",
    ]
    text += Self.folded("Subject", subject)
    text += [
      "Date: \(Self.text(date))", "Message-ID: <\(id)@\(host)>", "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
      // RFC 3834: nobody answers it by itself.
      "Auto-Submitted: auto-generated", "",
    ]
    text += Self.encoded(lines)
    return Array((text.joined(separator: lineBreak.rawValue) + lineBreak.rawValue).utf8)
  }

  /// Lines of base64.
  private static func encoded(_ lines: [String]) -> [String] {
    var bytes: [UInt8] = []
    for line in lines {
      let next = Array((line.inOneLine(atMost: 2_000) + "\r\n").utf8)
      guard bytes.count + next.count <= longestText else { break }
      bytes += next
    }
    let text = Array(Data(bytes).base64EncodedString().utf8)
    return stride(from: 0, to: text.count, by: lineLength).map {
      String(decoding: text[$0..<min($0 + lineLength, text.count)], as: UTF8.self)
    }
  }

  /// A header whose value is a text. One that is plain and fits stands as it is. Any other stands in encoded words, one
  /// on a line of at most 76 bytes, none of which cuts a scalar in two (RFC 2047 §2 and §5).
  static func folded(_ name: String, _ value: String) -> [String] {
    let isPlain = value.utf8.allSatisfy { 0x20...0x7E ~= $0 } && !value.contains("=?")
    if isPlain, name.utf8.count + 2 + value.utf8.count <= lineLength, value.first != " ",
      value.last != " ", !value.isEmpty
    {
      return ["\(name): \(value)"]
    }
    // Around the base64, of which four bytes are three of the text, stand 12 bytes; before it the name or a blank.
    var words: [[UInt8]] = [[]]
    for scalar in value.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      let before = words.count == 1 ? name.utf8.count + 2 : 1
      let room = (lineLength - before - 12) / 4 * 3
      if (words.last?.count ?? 0) + bytes.count > room { words.append([]) }
      words[words.count - 1] += bytes
    }
    return words.enumerated().map { index, word in
      (index == 0 ? "\(name): " : " ") + "=?utf-8?B?\(Data(word).base64EncodedString())?="
    }
  }

  /// RFC 5322 §3.3, such as `Sat, 21 Nov 2026 08:30:00 +0000`.
  static func text(_ instant: Timestamp) -> String {
    // Four digits of a year, from 1970 on.
    let instant = Timestamp(milliseconds: min(max(0, instant.milliseconds), 253_370_764_799_999))
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    let text = instant.description
    let date = text.prefix(10).split(separator: "-")
    let month = Int(date[1]) ?? 1
    let day = Int(date[2]) ?? 1
    let weekday = days[Int(instant.calendarDay.number % 7)]
    return
      "\(weekday), \(day) \(months[month - 1]) \(date[0]) \(text.dropFirst(11).prefix(8)) +0000"
  }
}

extension NotificationDigest {
  /// As e-mail.
  package func email(
    from: EmailAddress, to: EmailAddress, id: String, date: Timestamp
  ) throws(NotificationProblem) -> EmailMessage {
    try EmailMessage(
      from: from, to: to, subject: "Tollbook: " + heading, lines: lines, date: date, id: id)
  }
}
