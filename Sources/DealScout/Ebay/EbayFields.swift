import JSONText
import TollbookEvents

/// An object in a request for a search: members by name, each at most once, none that is unknown. `null` counts as left
/// out. A fault names the member.
struct EbayFields {
  private let values: [(name: String, value: JSONValue)]
  private let prefix: String

  /// The longest text of a member, in bytes.
  private static let mostText = 4_096

  init(
    _ value: JSONValue, _ field: String, names: [String]
  ) throws(EbayRequestFault) {
    guard let members = value.members else {
      throw EbayRequestFault(.isNot("an object", found: value.kind), of: field)
    }
    prefix = field.isEmpty ? "" : "\(field)."
    var values: [(name: String, value: JSONValue)] = []
    for member in members {
      guard let name = names.first(where: { member.isNamed($0) }) else {
        // Decoded only if it is short: it is told to a person.
        let name = member.nameRange.count <= 400 ? member.name : "a long name"
        let allowed = names.joined(separator: ", ")
        throw EbayRequestFault(
          .unknown(allowed: allowed), of: prefix + name)
      }
      guard !values.contains(where: { $0.name == name }) else {
        throw EbayRequestFault(.twice, of: prefix + name)
      }
      values.append((name, member.value))
    }
    self.values = values
  }

  func at(_ name: String) -> String { prefix + name }

  func value(_ name: String) -> JSONValue? {
    values.first { $0.name == name }.flatMap { $0.value.isNull ? nil : $0.value }
  }

  func text(_ name: String) throws(EbayRequestFault) -> String? {
    guard let value = value(name) else { return nil }
    return try Self.text(value, at(name))
  }

  /// A number in a string or, of whole numbers, as a number: `"9355"` or `9355`.
  func digits(_ name: String) throws(EbayRequestFault) -> String? {
    guard let value = value(name) else { return nil }
    return try Self.digits(value, at(name))
  }

  func array<Element>(
    _ name: String, most: Int,
    _ element: (JSONValue, String) throws(EbayRequestFault) -> Element
  ) throws(EbayRequestFault) -> [Element] {
    guard let value = value(name) else { return [] }
    guard let array = value.array else {
      throw EbayRequestFault(.isNot("an array", found: value.kind), of: at(name))
    }
    var found: [Element] = []
    for one in array {
      guard found.count < most else {
        throw EbayRequestFault(.tooMany(array.count, most: most), of: at(name))
      }
      found.append(try element(one, "\(at(name))[\(found.count)]"))
    }
    return found
  }

  /// An amount, in a string or as a number, whose digits are taken as they are written.
  func money(
    _ name: String, _ currency: EbayCurrency
  ) throws(EbayRequestFault) -> EbayMoney? {
    guard let value = value(name) else { return nil }
    let text =
      value.kind == .number
      ? String(decoding: value.bytes.prefix(60), as: UTF8.self) : try Self.text(value, at(name))
    guard let money = EbayMoney(text, currency) else {
      throw EbayRequestFault(
        .form(text, expected: "an amount of \(currency) such as 12.50"), of: at(name))
    }
    return money
  }

  func instant(_ name: String) throws(EbayRequestFault) -> Timestamp? {
    guard let text = try text(name) else { return nil }
    guard let instant = Timestamp(rfc3339: text) else {
      throw EbayRequestFault(
        .form(text, expected: "an instant such as 2026-11-21T08:30:00Z"), of: at(name))
    }
    return instant
  }

  static func text(_ value: JSONValue, _ field: String) throws(EbayRequestFault) -> String {
    guard value.kind == .string else {
      throw EbayRequestFault(.isNot("a string", found: value.kind), of: field)
    }
    guard value.range.count <= mostText * 6 + 2, let text = value.string,
      text.utf8.count <= mostText
    else {
      throw EbayRequestFault(
        .tooLong(value.range.count - 2, most: mostText, of: "bytes"), of: field)
    }
    return text
  }

  static func digits(_ value: JSONValue, _ field: String) throws(EbayRequestFault) -> String {
    if value.kind == .number { return String(decoding: value.bytes.prefix(60), as: UTF8.self) }
    return try text(value, field)
  }
}
