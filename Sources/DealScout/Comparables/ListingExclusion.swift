/// Why an offer is not one whole, working product, by the words of its title. Such an offer is neither scored nor a
/// comparable.
///
/// The phrases are conventions of sellers, English first and German where they are usual. A title can deceive them both
/// ways; a false find costs an offer, a missed one is left to the rules for outliers.
package enum ListingExclusion: String, CaseIterable, Hashable, Sendable {
  /// Several items that are sold as one lot.
  case lot
  /// The product with others.
  case bundle
  /// The product more than once: `2x`, `pack of 3`.
  case multipack
  /// Broken, untested or for parts.
  case parts
  /// The package, the manual or the like without the product.
  case emptyBox = "empty_box"

  /// Nil: nothing excludes it. The first reason in the order of the title counts.
  package init?(_ words: TitleWords) {
    for index in words.all.indices {
      guard let reason = Self.reason(at: index, of: words) else { continue }
      self = reason
      return
    }
    return nil
  }

  private static func reason(at index: Int, of words: TitleWords) -> ListingExclusion? {
    if let phrases = ExclusionPhrases.byFirstWord[words.all[index]] {
      for phrase in phrases where phrase.stands(at: index, of: words.all) { return phrase.reason }
    }
    return isMultiple(at: index, of: words) ? .multipack : nil
  }

  /// Whether a number of pieces stands here: `2x` in one, `2 x` at the beginning, `(x2)`, `2 pack`, `pack of 2`, from 2
  /// to 50. `10x zoom` tells of a lens, and `X 256GB` of a model.
  private static func isMultiple(at index: Int, of words: TitleWords) -> Bool {
    func word(_ place: Int) -> String? {
      words.all.indices.contains(place) ? words.all[place] : nil
    }
    func isJoined(_ place: Int) -> Bool {
      words.isJoined.indices.contains(place) && words.isJoined[place]
    }
    guard isPieces(words.all[index]) else { return false }
    if let next = word(index + 1), ExclusionPhrases.packs.contains(next) { return true }
    if let before = word(index - 1), before == "of", let pack = word(index - 2),
      ExclusionPhrases.packsOf.contains(pack)
    {
      return true
    }
    if word(index + 1) == "x", !isJoined(index) {
      // `2x4` is a measure, and so is `5x zoom`.
      let isAlone = !isJoined(index + 2) || word(index + 2) == nil
      let isMeasure = word(index + 2).map { ExclusionPhrases.afterTimes.contains($0) } ?? false
      let isMeasured = word(index + 2).map(isNumber) ?? false
      if isAlone, !isMeasure, !isMeasured, isJoined(index + 1) || index == 0 { return true }
    }
    return word(index - 1) == "x" && words.isInBracket[index - 1] && isJoined(index)
      && !isJoined(index + 1)
  }

  private static func isNumber(_ word: String) -> Bool {
    word.utf8.allSatisfy { 0x30...0x39 ~= $0 }
  }

  /// Whether the text is a number from 2 to 50.
  private static func isPieces(_ word: String) -> Bool {
    guard word.utf8.count <= 2, isNumber(word), let count = Int(word) else { return false }
    return 2...50 ~= count
  }
}

/// The phrases that exclude an offer.
enum ExclusionPhrases {
  struct Phrase: Hashable, Sendable {
    let words: [String]
    let reason: ListingExclusion

    func stands(at index: Int, of title: [String]) -> Bool {
      index + words.count <= title.count
        && title[index..<index + words.count].elementsEqual(words)
    }
  }

  /// A number before one of these is a number of pieces.
  static let packs: Set<String> = [
    "count", "er", "pack", "packs", "pc", "pcs", "pk", "stk", "stueck", "stuck",
  ]
  /// So is one after `of` and one of these.
  static let packsOf: Set<String> = ["box", "case", "pack", "set"]
  /// After `10x`, these make it a measure.
  static let afterTimes: Set<String> = [
    "digital", "lens", "macro", "magnification", "magnifier", "magnifying", "optical", "speed",
    "tele", "zoom",
  ]

  static let byFirstWord: [String: [Phrase]] = {
    let texts: [(ListingExclusion, [String])] = [
      (.lot, ["lot", "joblot", "job lot", "bulk", "wholesale", "konvolut", "sammlung"]),
      (.bundle, ["bundle", "bundles", "paket mit"]),
      (.multipack, ["multipack", "multi pack", "twin pack", "triple pack", "doppelpack"]),
      (
        .parts,
        [
          "as is", "bad esn", "bad imei", "bastler", "blacklisted", "broken", "cracked",
          "defect", "defective", "defekt", "defekte", "defekter", "defektes", "does not work",
          "doesnt work", "ersatzteile", "ersatzteillager", "faulty", "for part", "for parts",
          "for repair", "for spare", "for spares", "icloud lock", "icloud locked", "kaputt",
          "no power", "non functional", "non working", "not functional", "not working",
          "parts only", "parts or repair", "parts repair", "repair only", "repairs only",
          "spares or repair", "spares or repairs", "spares repair", "spares repairs", "untested",
          "wont power", "wont start", "wont turn on", "wont work",
        ]
      ),
      (
        .emptyBox,
        [
          "box only", "case only no", "cover only", "empty box", "empty case", "empty package",
          "empty retail box", "instruction manual", "leere ovp", "leerkarton", "leerverpackung",
          "manual for", "manual only",
          "no console", "nur karton", "nur ovp", "nur verpackung", "only box", "only the box",
          "ovp leer", "packaging only",
        ]
      ),
    ]
    var phrases: [String: [Phrase]] = [:]
    for (reason, lines) in texts {
      for line in lines {
        let words = line.split(separator: " ").map(String.init)
        guard let first = words.first else { continue }
        phrases[first, default: []].append(Phrase(words: words, reason: reason))
      }
    }
    return phrases
  }()
}
