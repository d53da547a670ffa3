import TollbookEvents

/// How much weight the exchange says that this address has used in a minute (rest-api.md, IP limits; the header
/// without a suffix is from 2019 and means the same).
package struct BinanceUsedWeight: Hashable, Sendable {
  package let weight: Int64

  /// Why there is none, in a sentence.
  package struct Absence: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// More than a thousand times the limit is no reading.
  package static let most: Int64 = 10_000_000

  private static let names = ["X-MBX-USED-WEIGHT-1M", "X-MBX-USED-WEIGHT"]

  /// Reads the headers of an answer.
  package init(_ headers: [(name: String, value: String)]) throws(Absence) {
    let headers = BinanceHeaders(headers)
    let named = Self.names.map { (name: $0, values: headers.all($0)) }
    guard let (name, values) = named.first(where: { !$0.values.isEmpty }) else {
      throw Absence(description: "the answer has no header \(Self.names[0])")
    }
    var weights: [Int64] = []
    for text in values {
      guard !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
        let weight = Int64(text), weight <= Self.most
      else {
        throw Absence(
          description: "\(name) is “\(text.inOneLine(atMost: 40))”, which is no whole number from 0"
            + " to \(Self.most)")
      }
      weights.append(weight)
    }
    // If it stands there twice, the larger one is the safer one.
    weight = weights.max() ?? 0
  }
}
