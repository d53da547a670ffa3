/// The implicit cache: which long prompts were asked already.
struct GeminiPromptCache: Sendable {
  private var known: Set<UInt64> = []
  /// What is known, oldest first from `oldest` on, then from the start.
  private var order: [UInt64] = []
  private var oldest = 0

  /// How many prompts are remembered; older ones are forgotten.
  static let capacity = 10_000

  /// What a request is known by: the same bytes of the same key to the same model.
  static func name(key: String, model: String, body: [UInt8]) -> UInt64 {
    // FNV-1a.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in "\(key) \(model) ".utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    for byte in body { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return hash
  }

  /// Remembers a request. Returns whether it was known.
  mutating func remember(_ name: UInt64) -> Bool {
    guard known.insert(name).inserted else { return true }
    if order.count < Self.capacity {
      order.append(name)
    } else {
      known.remove(order[oldest])
      order[oldest] = name
      oldest = (oldest + 1) % Self.capacity
    }
    return false
  }
}
