import JSONText

/// Takes the names of sellers out of the JSON that eBay sent. Its licence lets nobody keep them.
package enum EbaySellerNames {
  /// What may stay of a seller; all else is left out: names, numbers, addresses, legal details.
  private static let allowed = ["feedbackPercentage", "feedbackScore", "sellerAccountType"]
  /// The most bytes of a listing or item.
  package static let mostBytes = 4 << 20

  /// The same object with every member `seller` cut down to feedback and kind of account, all else byte for byte.
  ///
  /// - Parameter raw: a listing or an item as it came.
  /// - Returns: nil if the text is no JSON object.
  package static func removed(from raw: some Collection<UInt8>) -> [UInt8]? {
    guard raw.count <= mostBytes,
      let document = try? JSONDocument(
        Array(raw), maximumDepth: 32, maximumValues: EbaySearchPage.mostValues),
      let members = document.root.members
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(document.bytes.count)
    var copied = 0
    for member in members where member.isNamed("seller") {
      bytes += document.bytes[copied..<member.value.range.lowerBound]
      bytes += rest(of: member.value)
      copied = member.value.range.upperBound
    }
    return bytes + document.bytes[copied...]
  }

  private static func rest(of seller: JSONValue) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      for name in allowed {
        if let value = seller[name] { json.rawField(name, value.bytes) }
      }
    }
    return json.bytes
  }
}
