/// The names and values of a query, in their order, as forms write them: a plus is a space (WHATWG URL, section 5.1). What
/// is malformed stays as it is written.
package func formItems(_ query: some StringProtocol) -> [(name: String, value: String)] {
  func decoded(_ text: Substring) -> String {
    let spaced = String(text.replacing("+", with: " "))
    return percentDecoded(spaced) ?? spaced
  }
  return query.split(separator: "&").map { item in
    let text = Substring(item)
    guard let equals = text.firstIndex(of: "=") else { return (decoded(text), "") }
    return (decoded(text[..<equals]), decoded(text[text.index(after: equals)...]))
  }
}

/// Names and values as a query or the body of a form, in their order: letters, digits and `-._~` stay, all else is a `%`
/// with two digits for each byte (RFC 3986, section 2).
package func formText(_ items: [(name: String, value: String)]) -> String {
  items.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }.joined(separator: "&")
}

/// A text as a step of a path, or as a name or a value of a query.
package func percentEncoded(_ text: String) -> String {
  let digits = Array("0123456789ABCDEF".utf8)
  var encoded: [UInt8] = []
  for byte in text.utf8 {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "~"):
      encoded.append(byte)
    default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
  }
  return String(decoding: encoded, as: UTF8.self)
}

/// Reads what stands percent-encoded in a path; nil if that is malformed or not UTF-8.
package func percentDecoded(_ text: some StringProtocol) -> String? {
  var decoded: [UInt8] = []
  var bytes = text.utf8.makeIterator()
  while let byte = bytes.next() {
    guard byte == UInt8(ascii: "%") else {
      decoded.append(byte)
      continue
    }
    guard let high = bytes.next().flatMap(hexadecimalDigit),
      let low = bytes.next().flatMap(hexadecimalDigit)
    else { return nil }
    decoded.append(high << 4 | low)
  }
  return String(validating: decoded, as: UTF8.self)
}

/// The bytes that pairs of hexadecimal digits stand for; nil if there is anything else.
package func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
  let digits = Array(text.utf8)
  guard digits.count.isMultiple(of: 2) else { return nil }
  var bytes: [UInt8] = []
  for index in stride(from: 0, to: digits.count, by: 2) {
    guard let high = hexadecimalDigit(digits[index]), let low = hexadecimalDigit(digits[index + 1])
    else { return nil }
    bytes.append(high << 4 | low)
  }
  return bytes
}

private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
  default: nil
  }
}
