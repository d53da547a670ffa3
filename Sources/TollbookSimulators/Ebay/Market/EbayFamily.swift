/// A product that many listings sell: an invented brand, line and model with a fair price.
struct EbayFamily: Sendable {
  let index: Int
  let brand: String
  let line: String
  /// Such as `KT-1041`; no other family has it.
  let model: String
  let noun: String
  let category: EbayWords.Category
  /// A fair price of a new one with shipping, in cents of a dollar.
  let worth: Int64
  /// The words of its name, as a search compares them.
  let tokens: Set<String>

  /// Words that find its listings and those of no other family.
  var words: String { "\(brand) \(line) \(model)" }

  /// What titles begin with.
  var name: String { "\(brand) \(line) \(model) \(noun)" }

  /// Its number in eBay's catalogue of products.
  var epid: String { String(2_300_000_000 + index * 17) }

  /// Its GTIN: twelve invented digits and a check digit (GS1 General Specifications, 7.9).
  var gtin: String {
    let digits = String(290_000_000_000 + index * 113)
    let sum = digits.utf8.enumerated().reduce(0) { sum, digit in
      sum + Int(digit.element - 48) * (digit.offset % 2 == 0 ? 1 : 3)
    }
    return digits + String((10 - sum % 10) % 10)
  }

  /// What one in a condition is worth with shipping, in hundredths of a currency.
  func fair(_ grade: EbayGrade, in coin: EbayCoin) -> Int64 {
    EbayCoin.dollar.hundredths(worth * grade.worth / 1_000, in: coin)
  }

  /// Invents the family of an index.
  init(index: Int, seed: UInt64) {
    var numbers = SeededNumbers("family", salt: index)
    numbers = SeededNumbers(seed: numbers.next() ^ (seed &* 0x9e37_79b9_7f4a_7c15))
    self.index = index
    category = EbayWords.categories[index % EbayWords.categories.count]
    brand = numbers.pick(EbayWords.brandStarts) + numbers.pick(EbayWords.brandEnds)
    line = numbers.pick(EbayWords.lines)
    let letters = ["K", "T", "M", "R", "V", "X", "Z", "H"]
    model = "\(numbers.pick(letters))\(numbers.pick(letters))-\(1_000 + index)"
    noun = numbers.pick(category.nouns)
    // From 20 to 900 dollars, more of them cheap.
    let height = numbers.fraction()
    worth = 2_000 + Int64(height * height * 88_000)
    tokens = Set(EbayWords.tokens("\(brand) \(line) \(model) \(noun)"))
  }
}
