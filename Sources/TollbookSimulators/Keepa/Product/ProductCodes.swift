/// The numbers on a product's package, from its ASIN and back: EAN (13 digits), UPC (an EAN that
/// begins with 0, without that digit) and ISBN-13 (an EAN that begins with 978).
///
/// * The ASIN of a book is its ISBN-10, and its EAN is the ISBN-13 of the same book.
/// * An ASIN `B0…` has 36⁸ values, its EAN 10¹²: a code belongs to up to three such ASINs, as in
///   shops that list one product twice or thrice. The second and third mostly bear no code.
/// * Other ASINs bear no code.
enum ProductCodes {
  /// The EAN of a product; nil if it bears none.
  static func ean(asin: String) -> String? {
    if let book = isbn13(asin) { return book }
    guard let place = place(of: asin) else { return nil }
    guard place / codes == 0 || isListedAgain(asin) else { return nil }
    return withCheckDigit(padded(scatter(place % codes, by: multiplier), to: 12))
  }

  /// The UPC of a product; nil if it bears none.
  static func upc(asin: String) -> String? {
    ean(asin: asin).flatMap { $0.hasPrefix("0") ? String($0.dropFirst()) : nil }
  }

  /// The products with an EAN, UPC or ISBN-13; empty if it is no such code.
  static func asins(code: String) -> [String] {
    let digits = code.utf8.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }
    guard digits.count == 12 || digits.count == 13, digits.allSatisfy({ (48...57).contains($0) })
    else {
      return []
    }
    let ean = String(decoding: digits.count == 12 ? [48] + digits : digits, as: UTF8.self)
    guard withCheckDigit(String(ean.dropLast())) == ean, let value = Int(ean.dropLast()) else {
      return []
    }
    let book = ean.hasPrefix("978") ? [isbn10(String(ean.dropFirst(3).prefix(9)))] : []
    let first = scatter(value, by: inverse)
    return book
      + stride(from: first, to: places, by: codes).map { "B0" + base36($0) }
      .filter { Self.ean(asin: $0) == ean }
  }

  // MARK: ASINs that begin with B0

  /// How many codes there are, check digits apart.
  private static let codes = 1_000_000_000_000
  /// 36⁸
  private static let places = 2_821_109_907_456
  /// Prime to `codes`, so that no two places of one round get the same code.
  private static let multiplier = 618_033_988_749
  /// `multiplier` × `inverse` leaves 1 when divided by `codes`.
  private static let inverse = 777_698_823_749

  /// The product of two numbers below `codes`, modulo `codes`.
  private static func scatter(_ value: Int, by factor: Int) -> Int {
    codes.dividingFullWidth(value.multipliedFullWidth(by: factor)).remainder
  }

  /// The last eight characters of `B0…` read as a number.
  private static func place(of asin: String) -> Int? {
    guard asin.utf8.count == 10, asin.hasPrefix("B0") else { return nil }
    return Int(asin.dropFirst(2), radix: 36)
  }

  private static func base36(_ place: Int) -> String {
    let text = String(place, radix: 36, uppercase: true)
    return String(repeating: "0", count: max(0, 8 - text.utf8.count)) + text
  }

  private static func isListedAgain(_ asin: String) -> Bool {
    var numbers = SeededNumbers(asin, salt: 503)
    return numbers.chance(30)
  }

  // MARK: Books

  /// The ISBN-13 of an ASIN that is an ISBN-10.
  private static func isbn13(_ asin: String) -> String? {
    let digits = String(asin.prefix(9))
    guard asin.utf8.count == 10, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      isbn10(digits) == asin
    else { return nil }
    return withCheckDigit("978" + digits)
  }

  /// Nine digits and the check digit of an ISBN-10, which may be an X.
  private static func isbn10(_ digits: String) -> String {
    let sum = zip(digits.utf8, (2...10).reversed()).reduce(0) { $0 + (Int($1.0) - 48) * $1.1 }
    let check = (11 - sum % 11) % 11
    return digits + (check == 10 ? "X" : String(check))
  }

  // MARK: Digits

  /// Twelve digits and the check digit of an EAN.
  private static func withCheckDigit(_ digits: String) -> String {
    let sum = digits.utf8.enumerated().reduce(0) {
      $0 + (Int($1.element) - 48) * ($1.offset % 2 == 0 ? 1 : 3)
    }
    return digits + String((10 - sum % 10) % 10)
  }

  private static func padded(_ number: Int, to length: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, length - text.utf8.count)) + text
  }
}
