import TollbookAudit
import TollbookHTTP
import TollbookUpstreams

/// What values a setting takes. Values come as text, whatever gives them.
enum SettingKind: Hashable, Sendable {
  case text
  case integer(ClosedRange<Int>)
  case onOff
  case choice([String])
  /// Such as `7d`, `12h`, `30m` or `90s`.
  case duration
  /// Such as `256GiB`.
  case bytes(minimum: Int)
  case url
  /// Where a connection goes: a host or an address, with or without a port.
  case connection
  /// Names of hosts, separated by commas.
  case hosts
  /// Origins of pages, `scheme://host[:port]`, separated by commas.
  case origins
  /// Of a token, such as `0.0412 EUR`.
  case price
  /// From 0 to 1 with up to four decimals, or `none`.
  case share
}

/// A value as its kind reads it.
enum SettingValue: Hashable, Sendable {
  case text(String)
  /// An integer, bytes, milliseconds of a duration, or hundredths of a percent of a share.
  case number(Int)
  case flag(Bool)
  case list([String])
  case url(BaseURL)
}

extension SettingKind {
  /// The value of a text, nil if the text is none.
  func value(of text: String) -> SettingValue? {
    switch self {
    case .text: text.isEmpty ? nil : .text(text)
    case .integer(let range):
      Int(text).flatMap { range.contains($0) ? .number($0) : nil }
    case .onOff: Self.flag(text).map { .flag($0) }
    case .choice(let names): names.contains(text) ? .text(text) : nil
    case .duration: Self.milliseconds(text).map { .number($0) }
    case .bytes(let minimum):
      Self.bytes(text).flatMap { $0 >= minimum ? .number($0) : nil }
    case .url: BaseURL(text).map { .url($0) }
    case .connection: ConnectionPlace(text).map { .text($0.description) }
    case .hosts:
      Self.elements(text).allSatisfy(HTTPSettings.isHostName) ? .list(Self.elements(text)) : nil
    case .origins: Self.origins(text).map { .list($0) }
    case .price: TokenPrice(text).map { .text($0.description) }
    case .share: text == "none" ? .text(text) : Self.share(text).map { .number($0) }
    }
  }

  /// A value that is none, to be repeated to who gave it: an address without what may be a secret in it.
  func shown(_ text: String) -> String {
    switch self {
    // A password may hold a comma: origins are masked together.
    case .url, .origins: BaseURL.masked(text)
    default: text
    }
  }

  /// What a value must look like, to follow “expected”.
  var expectation: String {
    switch self {
    case .text: "a text that is not empty"
    case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .onOff: "on or off"
    case .choice(let names):
      names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
    case .duration: "a duration such as 7d, 12h, 30m or 90s"
    case .bytes(let minimum):
      "a size such as 256GiB or 512MiB, at least \(minimum >> 20)MiB"
    case .url:
      "an address such as https://api.keepa.com or http://localhost:9000, with a port from 1 to"
        + " 65535 and without a name, a password, a query or a fragment"
    case .connection: "a host or an address, with or without a port, such as 192.0.2.7 or [::1]:443"
    case .hosts: "names of hosts separated by commas, such as tollbook.example"
    case .origins:
      "origins separated by commas, each http or https with a host and perhaps a port, such as"
        + " https://app.example, without a path, a name or a password, and never *"
    case .price: "an amount with up to six decimals and a currency, such as 0.0412 EUR"
    case .share: "a share from 0 to 1 with up to four decimals, such as 0.45, or none"
    }
  }

  private static func flag(_ text: String) -> Bool? {
    switch text.lowercased() {
    case "on", "true", "yes", "1": true
    case "off", "false", "no", "0": false
    default: nil
    }
  }

  private static func milliseconds(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let last = text.last, let seconds = units[last] else { return nil }
    let century = 36_525 * 86_400
    guard let count = natural(text.dropLast()), count <= century / seconds else { return nil }
    return count * seconds * 1_000
  }

  /// In hundredths of a percent.
  private static func share(_ text: String) -> Int? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let whole = natural(parts[0]), whole <= 1, parts.count <= 2 else { return nil }
    guard parts.count == 2 else { return whole * 10_000 }
    let digits = parts[1]
    guard 1...4 ~= digits.count,
      let part = natural(digits + String(repeating: "0", count: 4 - digits.count))
    else { return nil }
    let share = whole * 10_000 + part
    return share <= 10_000 ? share : nil
  }

  private static func bytes(_ text: String) -> Int? {
    let units = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("K", 1 << 10),
      ("M", 1 << 20), ("G", 1 << 30), ("T", 1 << 40), ("", 1),
    ]
    guard let (suffix, factor) = units.first(where: { text.hasSuffix($0.0) }),
      let count = natural(text.dropLast(suffix.count)), count <= (1 << 46) / factor
    else { return nil }
    // LMDB wants whole pages.
    return count * factor / 4_096 * 4_096
  }

  private static func natural(_ text: Substring) -> Int? {
    text.allSatisfy { $0.isASCII && $0.isNumber } ? Int(text) : nil
  }

  /// Nil: one of them is none. A blank within one is not passed over: it stands where a comma is missing.
  private static func origins(_ text: String) -> [String]? {
    let named = text.split(separator: ",")
      .map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
      .filter { !$0.isEmpty }
    let origins = named.compactMap { HTTPSettings.origin($0) }
    return origins.count == named.count ? origins : nil
  }

  private static func elements(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
  }
}
