/// By what two offers are told to be of the same product.
///
/// The best rule that an offer allows counts: a valid GTIN, else the number of eBay's catalogue, else the words of the
/// title. Offers of two rules are never the same product here, even if they are.
package enum ProductKey: Hashable, Sendable {
  /// 14 digits with a right check digit.
  case gtin(String)
  case epid(String)
  case title(TitleKey)

  /// Which rule a key comes from.
  package enum Rule: String, CaseIterable, Hashable, Sendable { case gtin, epid, title }

  package var rule: Rule {
    switch self {
    case .gtin: .gtin
    case .epid: .epid
    case .title: .title
    }
  }

  /// Nil if neither a number is valid nor the title has a word that counts.
  package init?(gtin: String? = nil, epid: String? = nil, title: String) {
    self.init(gtin: gtin, epid: epid, words: TitleWords(title))
  }

  init?(gtin: String?, epid: String?, words: TitleWords) {
    if let digits = gtin.flatMap(Self.gtin14) {
      self = .gtin(digits)
    } else if let epid, Self.isCatalogueNumber(epid) {
      self = .epid(epid)
    } else if let key = TitleKey(words) {
      self = .title(key)
    } else {
      return nil
    }
  }

  /// The number of a barcode with 8, 12, 13 or 14 digits, filled up with zeros to 14. Blanks and hyphens are passed
  /// over.
  ///
  /// - Returns: nil for another length, a wrong check digit (GS1 General Specifications, section 7.9), zeros alone, or
  ///   a number that shops give out themselves (GS1 prefixes 02, 04 and 20 to 29).
  static func gtin14(_ text: String) -> String? {
    guard text.utf8.count <= 32 else { return nil }
    var digits: [UInt8] = []
    for byte in text.utf8 where byte != UInt8(ascii: " ") && byte != UInt8(ascii: "-") {
      guard 0x30...0x39 ~= byte else { return nil }
      digits.append(byte - 0x30)
    }
    guard [8, 12, 13, 14].contains(digits.count), digits.contains(where: { $0 > 0 }) else {
      return nil
    }
    let isShort = digits.count == 8
    digits = [UInt8](repeating: 0, count: 14 - digits.count) + digits
    var sum = 0
    for (index, digit) in digits.enumerated() { sum += Int(digit) * (index % 2 == 0 ? 3 : 1) }
    guard sum % 10 == 0 else { return nil }
    let prefix = digits[1] * 10 + digits[2]
    let isOwn =
      isShort ? digits[6] == 0 || digits[6] == 2 : [2, 4].contains(prefix) || 20...29 ~= prefix
    return isOwn ? nil : String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
  }

  private static func isCatalogueNumber(_ text: String) -> Bool {
    1...20 ~= text.utf8.count && text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
      && text.utf8.contains { $0 != 0x30 }
  }
}

/// The words of a title that tell which product it is, in no order and each once.
///
/// Words that join, praise, or tell the condition are left out. What is left is of two sorts: ``identity`` must be the
/// same in both titles, ``words`` must be about the same (``ProductGroups``).
package struct TitleKey: Hashable, Sendable {
  /// The most of each sort; more are left out, the last of the alphabet first.
  package static let mostWords = 24

  /// The sorted ``identity``, a bar and the sorted ``words``, with blanks between them. One text makes a key that is
  /// quickly compared and hashed; no word holds a bar or a blank.
  package let text: String

  /// Nil if no word is left.
  package init?(_ title: TitleWords) {
    var identity: [String] = []
    var words: [String] = []
    for word in title.all {
      if word.utf8.first.map({ 0x30...0x39 ~= $0 }) ?? false {
        // `007` and `7` are the same number.
        let digits = word.utf8.drop { $0 == 0x30 }
        identity.append(digits.isEmpty ? "0" : String(Substring(digits)))
        continue
      }
      switch TitleVocabulary.roles[word] {
      case .silent: break
      case .telling: identity.append(word)
      case nil: words.append(word)
      }
    }
    guard !(identity.isEmpty && words.isEmpty) else { return nil }
    var text = ""
    // Many are held: no more memory than there is text.
    text.reserveCapacity((identity + words).reduce(1) { $0 + $1.utf8.count + 1 })
    Self.append(&identity, to: &text)
    text += "|"
    Self.append(&words, to: &text)
    self.text = text
  }

  package init?(_ title: String) { self.init(TitleWords(title)) }

  /// Numbers, and words that tell models and accessories apart, such as `pro` and `case`; sorted.
  package var identity: [String] { identityText.split(separator: " ").map(String.init) }

  /// All other words; sorted.
  package var words: [String] { parts.words.map(String.init) }

  var parts: (identity: Substring, words: [Substring]) {
    let bar = bar
    return (text[..<bar], text[bar...].dropFirst().split(separator: " "))
  }

  /// ``identity`` as it stands in the text.
  var identityText: Substring { text[..<bar] }

  private var bar: String.Index { text.utf8.firstIndex(of: UInt8(ascii: "|")) ?? text.endIndex }

  /// Whether it has a number. Without one a title says too little to be taken for another.
  package var hasNumber: Bool { text.utf8.first.map { 0x30...0x39 ~= $0 } ?? false }

  private static func append(_ words: inout [String], to text: inout String) {
    words.sort()
    var last: String?
    var count = 0
    for word in words where word != last && count < mostWords {
      if count > 0 { text += " " }
      text += word
      last = word
      count += 1
    }
  }
}

extension TitleKey: Comparable {
  package static func < (left: TitleKey, right: TitleKey) -> Bool { left.text < right.text }
}
