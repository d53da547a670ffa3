/// Amazon's name of a product: ten ASCII letters or digits, letters upper-case.
package struct KeepaASIN: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let description: String

  /// Accepts lower-case letters and makes them upper-case. Nil for anything but ten ASCII letters
  /// and digits.
  package init?(_ text: some StringProtocol) {
    let upper = text.utf8.map { byte in
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte ? byte - 0x20 : byte
    }
    let isValid = upper.allSatisfy { byte in
      UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
    }
    guard upper.count == 10, isValid else { return nil }
    description = String(decoding: upper, as: UTF8.self)
  }

  package static func < (left: KeepaASIN, right: KeepaASIN) -> Bool {
    left.description < right.description
  }
}
