/// International bank account numbers: ISO 13616-1, with the check digits of ISO/IEC 7064, MOD 97-10.
enum IBAN {
  /// Whether the text is built like an IBAN and its check digits are right: two capitals, two digits, then eleven to
  /// thirty digits and capitals. Blanks, as it is printed with, are left out. The lengths that each country prescribes
  /// are not checked.
  static func isValid(_ text: String) -> Bool {
    let bytes = text.utf8.filter { $0 != UInt8(ascii: " ") }
    let values = bytes.compactMap(value)
    guard values.count == bytes.count, 15...34 ~= values.count,
      values.prefix(2).allSatisfy({ $0 > 9 }), values[2] < 10, values[3] < 10
    else { return false }
    // Others leave the same remainder and are never given out.
    guard 2...98 ~= values[2] * 10 + values[3] else { return false }
    let remainder = (values.dropFirst(4) + values.prefix(4)).reduce(0) { remainder, value in
      (remainder * (value < 10 ? 10 : 100) + value) % 97
    }
    return remainder == 1
  }

  /// 0 to 9 for a digit, 10 to 35 for a capital.
  private static func value(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }
}
