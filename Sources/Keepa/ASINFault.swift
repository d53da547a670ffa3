import TollbookUpstreams

/// Why a text is no ASIN, in a sentence that names what is wrong with it: many such texts look like one.
struct ASINFault: CustomStringConvertible {
  let description: String

  /// - Parameter text: what `KeepaASIN` refuses.
  init(_ text: String) {
    description = "\(Self.fault(of: text)); an ASIN has ten letters A to Z and digits"
  }

  private static let length = 10

  private static func fault(of text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    if let index = scalars.firstIndex(where: { !isAllowed($0) }) {
      return "character \(index + 1) is \(name(scalars[index]))"
    }
    let count = scalars.isEmpty ? "no characters" : "\(scalars.count) characters"
    guard let padded = withLeadingZeros(text) else { return "it has \(count)" }
    return "it has \(count), as if a leading zero was lost: \(padded)"
  }

  private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "A"..."Z", "a"..."z", "0"..."9": true
    default: false
    }
  }

  /// The character itself, if it can be seen, and its number, by which those that look alike are told apart.
  private static func name(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    let known = scalar.properties.name.map { ", \($0)" } ?? ""
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter, .decimalNumber,
      .letterNumber, .otherNumber, .dashPunctuation, .connectorPunctuation, .otherPunctuation,
      .currencySymbol, .mathSymbol:
      return "“\(scalar)” (\(code)\(known))"
    default: return "\(code)\(known)"
    }
  }

  /// The ISBN with ten digits that a table of numbers made shorter; nil if it is none.
  private static func withLeadingZeros(_ text: String) -> String? {
    guard (7..<length).contains(text.utf8.count) else { return nil }
    let padded = String(repeating: "0", count: length - text.utf8.count) + text.uppercased()
    var sum = 0
    for (index, byte) in padded.utf8.enumerated() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        sum += (length - index) * Int(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "X") where index == length - 1: sum += 10
      default: return nil
      }
    }
    return sum.isMultiple(of: 11) ? padded : nil
  }
}
