/// An address of the internet protocol, of version 4 or 6.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  /// 4 or 16.
  package let bytes: [UInt8]
  package let description: String

  /// From its usual text, such as `192.0.2.7` or `2001:db8::1`; nil if the text is none.
  package init?(_ text: String) {
    let plain = text.prefix { $0 != "%" }
    guard let bytes = plain.contains(":") ? Self.version6(plain) : Self.version4(plain) else {
      return nil
    }
    self.bytes = bytes
    description = text
  }

  private static func version4(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let bytes = parts.compactMap { part in
      part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt8(part) : nil
    }
    return parts.count == 4 && bytes.count == 4 ? bytes : nil
  }

  private static func version6(_ text: Substring) -> [UInt8]? {
    guard let gap = text.firstRange(of: "::") else {
      guard let bytes = groups(text), bytes.count == 16 else { return nil }
      return bytes
    }
    guard let head = groups(text[..<gap.lowerBound]), let tail = groups(text[gap.upperBound...]),
      head.count + tail.count <= 14
    else { return nil }
    return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
  }

  private static func groups(_ text: Substring) -> [UInt8]? {
    guard !text.isEmpty else { return [] }
    var bytes: [UInt8] = []
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      if index == parts.count - 1, part.contains(".") {
        guard let last = version4(part) else { return nil }
        bytes += last
      } else {
        guard (1...4).contains(part.utf8.count), part.first != "+",
          let group = UInt16(part, radix: 16)
        else { return nil }
        bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
      }
    }
    return bytes
  }

  /// Whether it belongs to the public internet: not to this machine, its networks, or a group of machines.
  package var isPublic: Bool {
    if bytes.count == 4 { return Self.isPublic4(bytes) }
    func begins(_ prefix: [UInt8], bits: Int) -> Bool {
      for index in prefix.indices {
        let kept = min(8, bits - index * 8)
        let mask = UInt8(truncatingIfNeeded: 0xff00 >> kept)
        if bytes[index] & mask != prefix[index] { return false }
      }
      return true
    }
    let zeros = [UInt8](repeating: 0, count: 10)
    // An address of version 4 in one of version 6: as such, translated, or by a relay.
    if begins(zeros + [0xff, 0xff], bits: 96) || begins(zeros + [0, 0], bits: 96) {
      return Self.isPublic4(Array(bytes[12...]))
    }
    if begins([0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96) {
      return Self.isPublic4(Array(bytes[12...]))
    }
    if begins([0x20, 0x02], bits: 16) { return Self.isPublic4(Array(bytes[2..<6])) }
    // What is given out lies in 2000::/3; of it not what is for tunnels, for tests and for documents.
    return begins([0x20], bits: 3) && !begins([0x20, 0x01, 0x00], bits: 23)
      && !begins([0x20, 0x01, 0x0d, 0xb8], bits: 32) && !begins([0x3f, 0xff, 0x00], bits: 20)
  }

  /// Networks of version 4 that are not public, with how many bits name them.
  private static let reserved4: [(network: UInt32, bits: UInt32)] = [
    (0x0000_0000, 8), (0x0a00_0000, 8), (0x6440_0000, 10), (0x7f00_0000, 8), (0xa9fe_0000, 16),
    (0xac10_0000, 12), (0xc000_0000, 24), (0xc000_0200, 24), (0xc058_6300, 24), (0xc0a8_0000, 16),
    (0xc612_0000, 15), (0xc633_6400, 24), (0xcb00_7100, 24), (0xe000_0000, 4), (0xf000_0000, 4),
  ]

  private static func isPublic4(_ bytes: [UInt8]) -> Bool {
    let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return !reserved4.contains { (address ^ $0.network) >> (32 - $0.bits) == 0 }
  }
}
