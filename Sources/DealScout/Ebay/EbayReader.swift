import JSONText
import TollbookEvents

/// An object in an answer of eBay's. Whatever is wrong with a member is thrown with its place. `null` counts as left
/// out.
struct EbayReader {
  let place: String
  /// The object itself.
  let whole: JSONValue
  private let members: [(member: JSONMember, name: String)]

  /// How many members an object may have.
  private static let mostMembers = 400
  /// The longest name of a member that is compared, in bytes; longer ones are nobody's.
  private static let mostName = 64

  init(_ value: JSONValue, _ place: String) throws(EbayReadingError) {
    guard let all = value.members else {
      throw EbayReadingError(.isNot("an object", found: value.kind), at: place)
    }
    var members: [(member: JSONMember, name: String)] = []
    for member in all {
      guard members.count < Self.mostMembers else {
        throw EbayReadingError(.count(members.count + 1, most: Self.mostMembers), at: place)
      }
      members.append((member, member.nameRange.count <= Self.mostName ? member.name : ""))
    }
    whole = value
    self.place = place
    self.members = members
  }

  /// The object that a text is.
  static func root(
    _ bytes: [UInt8], most: Int, values: Int
  ) throws(EbayReadingError) -> EbayReader {
    guard bytes.count <= most else {
      throw EbayReadingError(.tooLarge(bytes: bytes.count, most: most), at: "")
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(bytes, maximumDepth: 32, maximumValues: values).root
    } catch { throw EbayReadingError(.notJSON(error), at: "") }
    return try EbayReader(root, "")
  }

  func at(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

  func fault(_ problem: EbayReadingError.Problem, _ name: String) -> EbayReadingError {
    EbayReadingError(problem, at: at(name))
  }

  /// A member; nil if it is not there or null.
  func optional(_ name: String) throws(EbayReadingError) -> JSONValue? {
    var found: JSONValue?
    for (member, own) in members where own == name {
      guard found == nil else { throw fault(.twice, name) }
      found = member.value
    }
    return found.flatMap { $0.isNull ? nil : $0 }
  }

  // MARK: - Containers

  func object(_ name: String) throws(EbayReadingError) -> EbayReader? {
    guard let value = try optional(name) else { return nil }
    return try EbayReader(value, at(name))
  }

  /// The elements of an array with their places; none if there is no such member.
  func elements(
    _ name: String, most: Int
  ) throws(EbayReadingError) -> [(value: JSONValue, place: String)] {
    guard let value = try optional(name) else { return [] }
    guard let array = value.array else {
      throw fault(.isNot("an array", found: value.kind), name)
    }
    var found: [(value: JSONValue, place: String)] = []
    for element in array {
      guard found.count < most else { throw fault(.count(most + 1, most: most), name) }
      found.append((element, "\(at(name))[\(found.count)]"))
    }
    return found
  }

  // MARK: - Scalars

  func required<Value>(_ value: Value?, _ name: String) throws(EbayReadingError) -> Value {
    guard let value else { throw fault(.missing, name) }
    return value
  }

  /// A string of 1 to `most` bytes; an empty one counts as left out.
  func text(_ name: String, most: Int) throws(EbayReadingError) -> String? {
    guard let value = try optional(name) else { return nil }
    let text = try Self.text(value, at(name), most: most)
    return text.isEmpty ? nil : text
  }

  static func text(
    _ value: JSONValue, _ place: String, most: Int
  ) throws(EbayReadingError) -> String {
    guard value.kind == .string else {
      throw EbayReadingError(.isNot("a string", found: value.kind), at: place)
    }
    // However it is escaped, a character takes no more than six bytes for each of its own.
    guard value.range.count <= most * 6 + 2, let text = value.string, text.utf8.count <= most
    else {
      throw EbayReadingError(.length(bytes: value.range.count - 2, most: most), at: place)
    }
    return text
  }

  /// The beginning of a string, on one line, however long it is.
  func line(_ name: String, atMost limit: Int) throws(EbayReadingError) -> String? {
    guard let value = try optional(name) else { return nil }
    guard value.kind == .string else {
      throw fault(.isNot("a string", found: value.kind), name)
    }
    guard value.range.count <= 64 << 10 else {
      throw fault(.length(bytes: value.range.count - 2, most: 64 << 10), name)
    }
    let line = (value.string ?? "").inOneLine(atMost: limit)
    return line.isEmpty ? nil : line
  }

  func integer(
    _ name: String, _ range: ClosedRange<Int64>
  ) throws(EbayReadingError) -> Int64? {
    guard let value = try optional(name) else { return nil }
    guard let number = value.int64 else {
      throw fault(.isNot("a whole number", found: value.kind), name)
    }
    guard range.contains(number) else { throw fault(.outside(range, number), name) }
    return number
  }

  func flag(_ name: String) throws(EbayReadingError) -> Bool? {
    guard let value = try optional(name) else { return nil }
    guard let flag = value.bool else {
      throw fault(.isNot("true or false", found: value.kind), name)
    }
    return flag
  }

  func instant(_ name: String) throws(EbayReadingError) -> Timestamp? {
    guard let text = try text(name, most: 40) else { return nil }
    guard let instant = Timestamp(rfc3339: text),
      EbayDateRange.years.contains(instant.milliseconds)
    else { throw fault(.badInstant(text), name) }
    return instant
  }

  /// An address of a page or picture; nil: there is none, or one that no browser should follow.
  func address(_ name: String) throws(EbayReadingError) -> String? {
    guard let text = try text(name, most: 2_048) else { return nil }
    let isWeb = text.hasPrefix("https://") || text.hasPrefix("http://")
    return isWeb && text.utf8.allSatisfy { 0x21...0x7E ~= $0 } ? text : nil
  }

  /// An amount: `{"value", "currency", "convertedFromValue", "convertedFromCurrency"}` (type ConvertedAmount).
  func money(_ name: String) throws(EbayReadingError) -> EbayMoney? {
    guard let amount = try object(name) else { return nil }
    let currency = try amount.currency("currency")
    let text = try amount.required(try amount.text("value", most: EbayMoney.mostBytes), "value")
    var original: EbayMoney.Original?
    if let from = try amount.text("convertedFromValue", most: EbayMoney.mostBytes) {
      let currency = try amount.currency("convertedFromCurrency")
      guard let units = EbayMoney.minorUnits(from, exponent: currency.exponent) else {
        throw amount.fault(.badMoney(from), "convertedFromValue")
      }
      original = EbayMoney.Original(minorUnits: units, currency: currency, text: from)
    }
    guard let money = EbayMoney(text, currency, convertedFrom: original) else {
      throw amount.fault(.badMoney(text), "value")
    }
    return money
  }

  private func currency(_ name: String) throws(EbayReadingError) -> EbayCurrency {
    let code = try required(try text(name, most: 16), name)
    guard let currency = EbayCurrency(code) else { throw fault(.badCurrency(code), name) }
    return currency
  }
}
