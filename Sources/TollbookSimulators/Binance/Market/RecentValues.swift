/// Remembers what was used of late: at least `capacity` values and at most twice as many.
struct RecentValues<Value: Sendable>: Sendable {
  private let capacity: Int
  private var newer: [UInt64: Value] = [:]
  private var older: [UInt64: Value] = [:]

  init(capacity: Int) { self.capacity = capacity }

  /// The value of a key, if it is still remembered.
  mutating func value(_ key: UInt64) -> Value? {
    if let value = newer[key] { return value }
    guard let value = older[key] else { return nil }
    insert(value, key)
    return value
  }

  /// Remembers a value. When the newer half is full, the older one is forgotten.
  mutating func insert(_ value: Value, _ key: UInt64) {
    if newer.count >= capacity {
      older = newer
      newer = [:]
    }
    newer[key] = value
  }
}
