import Bytes

/// A text by its bytes. To Swift two texts can be equal that differ in their bytes; to the ledger they are not.
struct ByteName: Hashable, Sendable {
  let bytes: [UInt8]
  let hash: UInt64

  init(_ bytes: RawSpan, _ range: Range<Int>) {
    self.bytes = bytes.bytes(in: range)
    hash = bytes.mixedHash(in: range)
  }

  init(_ text: String) { self.init(bytes: Array(text.utf8)) }

  init(bytes: [UInt8]) {
    self.bytes = bytes
    hash = bytes.mixedHash
  }

  /// The class that a resource of that name belongs to, such as `atlas.place`, as ``ResourceKey`` reads it. Empty if
  /// there is none.
  var kind: ByteName {
    let parts = bytes.split(
      separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
    let index = parts.first?.elementsEqual("account".utf8) == true ? 2 : 1
    return ByteName(bytes: index < parts.count ? Array(parts[index]) : [])
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  func hash(into hasher: inout Hasher) { hasher.combine(hash) }

  static func == (left: ByteName, right: ByteName) -> Bool {
    left.hash == right.hash && left.bytes == right.bytes
  }
}

/// Finds places by names, without copying the name that is looked for.
///
/// The places are the caller's, who keeps the names too: an open table of places with the hashes beside them, never more
/// than half full.
struct NameIndex: Sendable {
  private struct Slot {
    var hash: UInt64 = 0
    /// One more than the place; 0: nothing is here.
    var place: UInt32 = 0
  }

  private var slots = [Slot](repeating: Slot(), count: 64)
  private(set) var count = 0

  /// The place of a name.
  ///
  /// - Parameter isSame: whether the name at a place is the one that is looked for.
  func find(_ hash: UInt64, _ isSame: (Int) -> Bool) -> Int? {
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index].place != 0 {
      if slots[index].hash == hash, isSame(Int(slots[index].place) - 1) {
        return Int(slots[index].place) - 1
      }
      index = (index + 1) & mask
    }
    return nil
  }

  /// Adds a place under a name that has none.
  mutating func insert(_ place: Int, _ hash: UInt64) {
    if 2 * (count + 1) > slots.count { grow() }
    put(Slot(hash: hash, place: UInt32(place) + 1))
    count += 1
  }

  /// Takes out a place that is in it.
  mutating func remove(_ place: Int, _ hash: UInt64) {
    let mask = slots.count - 1
    var hole = Int(truncatingIfNeeded: hash) & mask
    while slots[hole].place != UInt32(place) + 1 {
      if slots[hole].place == 0 { return }
      hole = (hole + 1) & mask
    }
    // What was pushed on by it moves up, so that no search ends too early.
    var next = (hole + 1) & mask
    while slots[next].place != 0 {
      let home = Int(truncatingIfNeeded: slots[next].hash) & mask
      if (next - home) & mask >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = Slot()
    count -= 1
  }

  private mutating func grow() {
    let old = slots
    slots = [Slot](repeating: Slot(), count: 2 * old.count)
    for slot in old where slot.place != 0 { put(slot) }
  }

  private mutating func put(_ slot: Slot) {
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: slot.hash) & mask
    while slots[index].place != 0 { index = (index + 1) & mask }
    slots[index] = slot
  }
}

/// Gives each name a small number, in the order in which they come.
struct Names: Sendable {
  private(set) var all: [ByteName] = []
  private var index = NameIndex()

  mutating func number(of range: Range<Int>, in bytes: RawSpan) -> Int {
    let hash = bytes.mixedHash(in: range)
    let name = bytes.extracting(range)
    if let known = index.find(hash, { name.elementsEqual(all[$0].bytes) }) { return known }
    return add(ByteName(bytes, range))
  }

  mutating func number(of name: ByteName) -> Int {
    index.find(name.hash) { all[$0].bytes == name.bytes } ?? add(name)
  }

  mutating func number(of text: String) -> Int { number(of: ByteName(text)) }

  private mutating func add(_ name: ByteName) -> Int {
    index.insert(all.count, name.hash)
    all.append(name)
    return all.count - 1
  }
}
