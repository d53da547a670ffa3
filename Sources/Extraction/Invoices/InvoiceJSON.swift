import JSONText
import TollbookEvents

/// An object of a model's answer with its place, so that whatever is wrong can be named. Members that are missing and
/// members that are null read the same: nil.
struct InvoiceJSON {
  private let value: JSONValue
  private let place: String

  /// Checks that this is an object that has no other members, and none twice.
  init(
    _ value: JSONValue, at place: String = "", members: [InvoiceSchemaMember]
  ) throws(InvoiceFault) {
    self.value = value
    self.place = place
    guard let found = value.members else {
      throw InvoiceFault(.isNot("an object", found: value.kind), at: place)
    }
    let names = members.names
    var seen: Set<String> = []
    for member in found {
      guard let name = names.first(where: { member.isNamed($0) }) else {
        throw InvoiceFault(.unknownName(member.name.inOneLine(atMost: 40)), at: place)
      }
      guard seen.insert(name).inserted else { throw InvoiceFault(.twice(name), at: place) }
    }
  }

  private func member(_ name: String) -> (value: JSONValue, place: String)? {
    guard let member = value[name], !member.isNull else { return nil }
    return (member, place.isEmpty ? name : "\(place).\(name)")
  }

  // MARK: - Objects and arrays

  func object(
    _ name: String, members: [InvoiceSchemaMember]
  ) throws(InvoiceFault) -> InvoiceJSON? {
    guard let (value, place) = member(name) else { return nil }
    return try InvoiceJSON(value, at: place, members: members)
  }

  /// The objects of an array, at most as many as the limit.
  func objects(
    _ name: String, members: [InvoiceSchemaMember], limit: Int
  ) throws(InvoiceFault) -> [InvoiceJSON] {
    guard let (value, place) = member(name) else { return [] }
    guard let elements = value.array else {
      throw InvoiceFault(.isNot("an array", found: value.kind), at: place)
    }
    let count = elements.count
    guard count <= limit else { throw InvoiceFault(.tooMany(count, limit: limit), at: place) }
    var objects: [InvoiceJSON] = []
    for element in elements {
      let place = "\(place)[\(objects.count)]"
      objects.append(try InvoiceJSON(element, at: place, members: members))
    }
    return objects
  }

  // MARK: - Scalars

  /// A text on one line, without characters that steer a terminal; nil if only blanks are left of it.
  func text(_ name: String) throws(InvoiceFault) -> String? {
    guard let (value, place) = member(name) else { return nil }
    guard let text = value.string else {
      throw InvoiceFault(.isNot("a string", found: value.kind), at: place)
    }
    let length = text.utf8.count
    guard length <= InvoiceFields.maximumTextBytes else {
      throw InvoiceFault(.textTooLong(bytes: length), at: place)
    }
    guard !text.utf8.contains(0) else { throw InvoiceFault(.zeroCharacter, at: place) }
    guard !hasHalfCharacter(value.bytes) else { throw InvoiceFault(.halfCharacter, at: place) }
    let line = text.inOneLine()
    return line.allSatisfy(\.isWhitespace) ? nil : line
  }

  /// Decimal text, or a JSON number as it was written.
  func amount(_ name: String) throws(InvoiceFault) -> ExactDecimal? {
    guard let (value, place) = member(name) else { return nil }
    let text: String
    if value.kind == .number {
      text = String(decoding: value.bytes, as: UTF8.self)
    } else if let string = value.string {
      text = string
    } else {
      throw InvoiceFault(.isNot("decimal text", found: value.kind), at: place)
    }
    do {
      return try ExactDecimal(text)
    } catch {
      throw InvoiceFault(.notAmount(error), at: place)
    }
  }

  func day(_ name: String) throws(InvoiceFault) -> CalendarDay? {
    guard let (text, place) = try word(name) else { return nil }
    guard let day = CalendarDay(text) else { throw InvoiceFault(.notDate, at: place) }
    return day
  }

  /// Three capitals; whether there is such a currency is not asked here.
  func currency(_ name: String) throws(InvoiceFault) -> String? {
    guard let (text, place) = try word(name) else { return nil }
    guard Amount.isMoney(text) else { throw InvoiceFault(.notCurrency, at: place) }
    return text
  }

  func documentType(_ name: String) throws(InvoiceFault) -> InvoiceFields.DocumentType? {
    guard let (text, place) = try word(name) else { return nil }
    guard let type = InvoiceFields.DocumentType(rawValue: text) else {
      let allowed = InvoiceFields.DocumentType.allCases.map(\.rawValue)
      throw InvoiceFault(.unknownWord(allowed: allowed), at: place)
    }
    return type
  }

  private func word(
    _ name: String
  ) throws(InvoiceFault) -> (text: String, place: String)? {
    guard let (value, place) = member(name) else { return nil }
    guard let text = value.string else {
      throw InvoiceFault(.isNot("a string", found: value.kind), at: place)
    }
    return (text, place)
  }
}

/// Whether a string of a JSON text, as it was written, has an escape for half of a surrogate pair without the other.
private func hasHalfCharacter(_ text: ArraySlice<UInt8>) -> Bool {
  var rest = text
  while let escape = rest.firstIndex(of: UInt8(ascii: "\\")) {
    rest = rest[escape...]
    guard let unit = codeUnit(rest) else {
      rest = rest.dropFirst(2)
      continue
    }
    rest = rest.dropFirst(6)
    switch unit {
    case 0xDC00...0xDFFF: return true
    case 0xD800...0xDBFF:
      guard let next = codeUnit(rest), 0xDC00...0xDFFF ~= next else { return true }
      rest = rest.dropFirst(6)
    default: break
    }
  }
  return false
}

/// The number in the escape `\uXXXX` at the beginning; nil if there is none.
private func codeUnit(_ text: ArraySlice<UInt8>) -> UInt16? {
  guard text.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { return nil }
  return UInt16(String(decoding: text.dropFirst(2).prefix(4), as: UTF8.self), radix: 16)
}
