import TollbookEvents

/// Repeatable chance of a saved search: the same search and the same scan draw the same, in every process.
///
/// FNV-1a over the name, then the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
struct SearchSeed: Hashable, Sendable {
  private let seed: UInt64

  init(_ id: String) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in id.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    seed = hash
  }

  /// A number from 0 up to, not including, `bound`, which is to be above 0; drawn for what happened at an instant.
  func below(_ bound: Int64, at instant: Timestamp) -> Int64 {
    let bits = Self.mixed(seed ^ Self.mixed(UInt64(bitPattern: instant.milliseconds)))
    return Int64(bits.multipliedFullWidth(by: UInt64(max(1, bound))).high)
  }

  private static func mixed(_ bits: UInt64) -> UInt64 {
    var z = bits &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
