/// Repeatable chance: SplitMix64, seeded from a name, so that one ASIN is one product for ever.
///
/// The standard library's `random(in:using:)` may change how it draws; this must not.
package struct SeededNumbers: Sendable, Equatable {
  private var state: UInt64

  /// Starts a sequence from a number.
  package init(seed: UInt64) {
    state = seed
  }

  /// Starts a sequence from a name; every `salt` of a name is a sequence of its own.
  package init(_ name: String, salt: Int = 0) {
    // FNV-1a, then one step of the generator to spread short names.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    state = hash
    state = next() ^ (UInt64(bitPattern: Int64(salt)) &* 0xd6e8_feb8_6659_fd93)
  }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number from 0 up to, not including, `bound`.
  package mutating func below(_ bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number of the range, both ends included.
  package mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }

  /// True in `percent` of a hundred draws.
  package mutating func chance(_ percent: Int) -> Bool {
    below(100) < percent
  }

  /// A number from 0 up to, not including, 1.
  package mutating func fraction() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// One of the elements of a collection that is not empty.
  package mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[below(choices.count)]
  }

  /// Capital letters and digits, as identifiers of shops and products have them.
  package mutating func code(_ length: Int) -> String {
    var bytes: [UInt8] = []
    for _ in 0..<length {
      let index = UInt8(below(36))
      bytes.append(index < 10 ? 48 + index : 55 + index)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
