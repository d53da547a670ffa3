package import JSONText
import TollbookEvents

/// What a model has found in photos of something that is to be sold.
package struct SnapFinding: Hashable, Sendable {
  package let product: String
  package let brand: String?
  package let model: String?
  /// 8, 12, 13 or 14 digits with a check digit that is right.
  package let gtin: String?
  /// What sort of thing it is, in words, from the widest to the narrowest.
  package let category: [String]
  package let condition: ConditionGroup?
  package let defects: [String]
  /// At most ``ListingTitle/longest``.
  package let title: String
  /// In percent, as the model says.
  package let confidence: Int

  /// The longest answer that is read, in bytes.
  static let mostBytes = 64 << 10
  static let mostText = 200
  static let mostCategory = 8
  static let mostDefects = 20

  /// Reads the text that a model answered: one JSON object and nothing around it.
  ///
  /// The answer is text from outside, and photos can talk a model into anything: it is read strictly, and the first
  /// member that the schema does not have ends it. Texts are put on one line without control characters; a GTIN whose
  /// check digit is wrong is left out, since models invent digits; a title that is too long loses its last words.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  init(text: [UInt8]) throws(SnapFault) {
    guard text.count <= Self.mostBytes else {
      throw SnapFault("it has more than \(Self.mostBytes) bytes")
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(text, maximumDepth: 4, maximumValues: 1_000).root
    } catch { throw SnapFault("it is \(error)") }
    try self.init(root)
  }

  init(_ root: JSONValue) throws(SnapFault) {
    let json = try SnapJSON(root, names: SnapSchema.names)
    guard let product = try json.text("product", atMost: Self.mostText) else {
      throw SnapFault("it names nothing that is to be sold", at: "product")
    }
    self.product = product
    brand = try json.text("brand", atMost: Self.mostText)
    model = try json.text("model", atMost: Self.mostText)
    gtin = try json.text("gtin", atMost: Self.mostText).flatMap(GTIN.checked)
    category = try json.texts("category", most: Self.mostCategory, atMost: Self.mostText)
    defects = try json.texts("defects", most: Self.mostDefects, atMost: Self.mostText)
    if let word = try json.text("condition", atMost: Self.mostText) {
      guard let known = ConditionGroup(rawValue: word) else {
        throw SnapFault(
          "“\(word.inOneLine(atMost: 40))” is none of \(ConditionGroup.words)", at: "condition")
      }
      condition = known
    } else {
      condition = nil
    }
    let title = try json.text("title", atMost: 4 * Self.mostText)
    let words = [brand, model, product].compactMap(\.self).joined(separator: " ")
    self.title = ListingTitle.shortened(title ?? words)
    confidence = try json.percent("confidence")
  }
}

/// What is wrong with the answer of a model, and with which member of it.
struct SnapFault: Error, Hashable, Sendable, CustomStringConvertible {
  let description: String

  init(_ what: String, at member: String = "") {
    description = member.isEmpty ? what : "\(member): \(what)"
  }
}

extension SnapFinding: JSONWritable {
  /// Writes what ``init(text:)`` reads as the same.
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("product", product)
      json.field("brand", brand)
      json.field("model", model)
      json.field("gtin", gtin)
      json.array("category", category)
      json.field("condition", condition?.rawValue)
      json.array("defects", defects)
      json.field("title", title)
      json.field("confidence", Double(confidence) / 100)
    }
  }
}

/// The members of the object that a model answered.
private struct SnapJSON {
  private let root: JSONValue

  init(_ root: JSONValue, names: [String]) throws(SnapFault) {
    guard let members = root.members else {
      throw SnapFault("it must be an object, not \(root.kind)")
    }
    var seen: Set<String> = []
    for member in members {
      let name = member.nameRange.count <= 100 ? member.name : "a long name"
      guard names.contains(name) else {
        throw SnapFault("the schema has no such member", at: name.inOneLine(atMost: 40))
      }
      guard seen.insert(name).inserted else { throw SnapFault("it stands twice", at: name) }
    }
    self.root = root
  }

  /// A text on one line; nil if it is missing, null or of blanks alone.
  func text(_ name: String, atMost limit: Int) throws(SnapFault) -> String? {
    guard let value = root[name], !value.isNull else { return nil }
    return try Self.text(value, name, limit)
  }

  private static func text(
    _ value: JSONValue, _ name: String, _ limit: Int
  ) throws(SnapFault) -> String? {
    guard let text = value.string else {
      throw SnapFault("it must be a text, not \(value.kind)", at: name)
    }
    let line = ListingTitle.oneLine(text)
    guard line.unicodeScalars.count <= limit else {
      throw SnapFault("it has more than \(limit) characters", at: name)
    }
    return line.isEmpty ? nil : line
  }

  func texts(_ name: String, most: Int, atMost limit: Int) throws(SnapFault) -> [String] {
    guard let value = root[name], !value.isNull else { return [] }
    guard let elements = value.array else {
      throw SnapFault("it must be a list, not \(value.kind)", at: name)
    }
    var texts: [String] = []
    for element in elements {
      guard texts.count < most else { throw SnapFault("there are more than \(most)", at: name) }
      if let text = try Self.text(element, name, limit) { texts.append(text) }
    }
    return texts
  }

  /// A number from 0 to 1, in percent; 0 if it is missing.
  func percent(_ name: String) throws(SnapFault) -> Int {
    guard let value = root[name], !value.isNull else { return 0 }
    guard let number = value.double, 0...1 ~= number else {
      throw SnapFault("it must be a number from 0 to 1", at: name)
    }
    return Int((number * 100).rounded())
  }
}

/// The number in a bar code of a product. Source: GS1 General Specifications, section 7.9 (check digit).
enum GTIN {
  /// The digits without blanks and dashes; nil if they are none, or their check digit is wrong.
  static func checked(_ text: String) -> String? {
    let digits = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
    guard [8, 12, 13, 14].contains(digits.count),
      digits.allSatisfy({ 0x30...0x39 ~= $0 }), digits.contains(where: { $0 != 0x30 })
    else { return nil }
    let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
      sum + Int(digit.element - 0x30) * (digit.offset % 2 == 0 ? 1 : 3)
    }
    return sum % 10 == 0 ? String(decoding: digits, as: UTF8.self) : nil
  }
}
