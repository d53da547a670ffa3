extension EbayOffer {
  /// The words beside the name of the family, before and behind it.
  private var extras: (before: String, behind: String) {
    switch shape {
    case .lot(let count): return ("Lot of \(count)", "")
    case .bundle: return ("", "bundle with bag")
    case .parts: return ("", "for parts not working as is")
    case .box: return ("", "empty box only")
    case .group: return ("", "choose colour")
    case .plain, .cheap:
      var numbers = SeededNumbers(seed: chance)
      var words = numbers.chance(60) ? [colour] : []
      if numbers.chance(60) { words.append(numbers.pick(EbayWords.praises)) }
      if numbers.chance(40) { words.append(gradeWord) }
      return ("", words.joined(separator: " "))
    }
  }

  private var gradeWord: String {
    switch grade {
    case .new: "new"
    case .newOther, .newWithDefects: "open box"
    case .certified, .excellent, .veryGoodRefurbished, .goodRefurbished, .sellerRefurbished:
      "refurbished"
    default: "used"
    }
  }

  /// What it looks like.
  var colour: String {
    EbayWords.colours[Int(chance >> 40) % EbayWords.colours.count]
  }

  func title(_ family: EbayFamily) -> String {
    let extras = extras
    return [extras.before, family.name, extras.behind].filter { !$0.isEmpty }
      .joined(separator: " ")
  }

  /// The words of its title that are not those of its family.
  var extraTokens: Set<String> {
    let extras = extras
    return Set(EbayWords.tokens(extras.before) + EbayWords.tokens(extras.behind))
  }

  /// Where it is: a masked postal code as summaries have it.
  var postalCode: String { String(100 + chance % 900) + "**" }

  var city: String {
    let cities = ["Fernhollow", "Port Alder", "Greywick", "Millbrae Cross", "Saltmere"]
    return cities[Int(chance >> 20 & 0xff) % cities.count]
  }

  /// Its place among the best matches: any order, but always the same.
  var rank: UInt64 { chance }
}
