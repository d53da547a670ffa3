/// A token or a code of the simulator. All that it stands for is in its text, with a checksum that the seed makes, so
/// that it outlives the process that minted it.
struct EbayToken: Sendable, Equatable {
  /// What it is good for.
  enum Kind: String, Sendable {
    /// Calls of the application itself.
    case application = "a"
    /// Calls for a user who consented.
    case user = "u"
    case refresh = "r"
    /// To be exchanged for tokens once.
    case code = "c"

    /// How long it is good, in milliseconds: 7,200 s, 47,304,000 s (a year and a half), 299 s.
    var life: Int64 {
      switch self {
      case .application, .user: 7_200_000
      case .refresh: 47_304_000_000
      case .code: 299_000
      }
    }
  }

  let kind: Kind
  /// The application's place in the configuration.
  let application: Int
  /// Milliseconds since 1970.
  let minted: Int64
  /// 1, 2, 3 …: two that are minted at once differ.
  let serial: Int
  /// Which of `EbayScopes.all` it has, a bit for each.
  let scopes: UInt64

  private static let prefix = "v^1.1#i^1#r^0#t^"

  private var fields: String {
    [
      kind.rawValue, String(application, radix: 16), String(minted, radix: 16),
      String(serial, radix: 16), String(scopes, radix: 16),
    ].joined(separator: ".")
  }

  private func checksum(seed: UInt64) -> String {
    var numbers = SeededNumbers(fields)
    numbers = SeededNumbers(seed: numbers.next() ^ seed)
    return String(numbers.next(), radix: 16)
  }

  /// The text.
  func text(seed: UInt64) -> String { "\(Self.prefix)\(fields).\(checksum(seed: seed))" }

  init(kind: Kind, application: Int, minted: Int64, serial: Int, scopes: UInt64) {
    self.kind = kind
    self.application = application
    self.minted = minted
    self.serial = serial
    self.scopes = scopes
  }

  /// Reads a text; nil if the simulator never wrote it.
  init?(_ text: String, seed: UInt64) {
    guard text.utf8.count <= 256, text.hasPrefix(Self.prefix) else { return nil }
    let fields = text.dropFirst(Self.prefix.count).split(separator: ".")
    guard fields.count == 6, let kind = Kind(rawValue: String(fields[0])),
      let application = Int(fields[1], radix: 16), let minted = Int64(fields[2], radix: 16),
      let serial = Int(fields[3], radix: 16), let scopes = UInt64(fields[4], radix: 16)
    else { return nil }
    self.init(
      kind: kind, application: application, minted: minted, serial: serial, scopes: scopes)
    guard self.text(seed: seed) == text else { return nil }
  }

  /// Whether it is still good at an instant.
  func isGood(at now: Int64) -> Bool { now - minted < kind.life }
}

/// Scopes of the simulator's applications.
package enum EbayScopes {
  private static let root = "https://api.ebay.com/oauth/api_scope"
  /// What everybody has.
  package static let application = root
  /// What only those have whom eBay chose.
  package static let insights = root + "/buy.marketplace.insights"

  /// All that there are. The first two can be had without a user.
  static let all = [
    application, insights, root + "/sell.inventory", root + "/sell.inventory.readonly",
    root + "/sell.account", root + "/sell.account.readonly", root + "/sell.fulfillment",
    root + "/sell.fulfillment.readonly", root + "/commerce.identity.readonly",
  ]

  /// The bits of scopes with blanks between them; nil: one of them is not known, or may not be had.
  ///
  /// - Parameters:
  ///   - isUser: whether a user consents
  ///   - hasInsights: whether the application may see what was sold
  static func bits(_ text: String, isUser: Bool, hasInsights: Bool) -> UInt64? {
    var bits: UInt64 = 0
    for scope in text.split(separator: " ") {
      guard let index = all.firstIndex(of: String(scope)), isUser || index < 2,
        index != 1 || hasInsights
      else { return nil }
      bits |= 1 << UInt64(index)
    }
    return bits == 0 ? 1 : bits
  }

  static func has(_ bits: UInt64, _ scope: String) -> Bool {
    all.firstIndex(of: scope).map { bits & 1 << UInt64($0) != 0 } ?? false
  }
}
