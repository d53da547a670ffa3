private import JSONText

/// A photo of something that somebody sells, made up: what a model that sees it would answer.
package struct DrawnPhoto: Sendable, Hashable {
  package let product: String
  package let brand: String?
  package let model: String?
  package let gtin: String?
  package let category: [String]
  package let condition: String
  package let defects: [String]
  package let title: String
  /// In percent.
  package let confidence: Int
  /// Words that stand in the picture and are no field, such as an instruction.
  package var writing: String?

  /// The thing of a number, the same for ever with the same seed.
  package init(number: Int, seed: UInt64 = 1) {
    var numbers = SeededNumbers("photo", salt: number)
    numbers = SeededNumbers(seed: numbers.next() ^ seed)
    let thing = numbers.pick(Self.things)
    let brand = numbers.pick(Self.brands)
    let model = "\(numbers.pick(["A", "K", "S", "X"]))\(numbers.within(100...999))"
    let condition = numbers.pick(Self.conditions)
    self.brand = brand
    self.model = model
    self.condition = condition
    product = thing.product
    category = thing.category
    gtin = numbers.chance(50) ? Self.gtin(numbers.within(0...999_999)) : nil
    defects =
      condition == "used" || condition == "parts"
      ? [numbers.pick(Self.flaws)] : []
    title = "\(brand) \(model) \(thing.product)"
    confidence = numbers.within(55...98)
  }

  /// The fields as one JSON object. The writing is none of them.
  package var json: [UInt8] {
    var json = JSONWriter(capacity: 512)
    json.object { json in
      json.field("product", product)
      json.field("brand", brand)
      json.field("model", model)
      json.field("gtin", gtin)
      json.array("category", category)
      json.field("condition", condition)
      json.array("defects", defects)
      json.field("title", title)
      json.field("confidence", Double(confidence) / 100)
    }
    return json.bytes
  }

  // MARK: Invented

  private static let things: [(product: String, category: [String])] = [
    ("cordless drill", ["Tools", "Power tools", "Drills"]),
    ("film camera", ["Cameras", "Film cameras"]),
    ("desk lamp", ["Home", "Lamps"]),
    ("mechanical keyboard", ["Computers", "Keyboards"]),
    ("espresso machine", ["Kitchen", "Coffee machines"]),
    ("wireless headphones", ["Audio", "Headphones"]),
  ]
  private static let brands = ["Samplex", "Exampla", "Northfold", "Brightwell"]
  private static let conditions = ["new", "open_box", "used", "used", "parts"]
  private static let flaws = [
    "scratches on the housing", "a dent at one corner", "a cracked cover",
  ]

  /// A number of the range that GS1 keeps for use within one company (prefix 2), with its check digit.
  private static func gtin(_ number: Int) -> String {
    let digits = "299900" + String(1_000_000 + number).dropFirst()
    let sum = digits.utf8.reversed().enumerated().reduce(0) { sum, digit in
      sum + Int(digit.element - 0x30) * (digit.offset % 2 == 0 ? 3 : 1)
    }
    return digits + String((10 - sum % 10) % 10)
  }
}
