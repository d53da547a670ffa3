import LMDB

/// A text by its bytes. To Swift two texts can be equal that differ in their bytes; to the ledger they are not.
struct ByteName: Hashable, Sendable {
  let bytes: [UInt8]
  private let hash: UInt64

  init(_ bytes: RawSpan, _ range: Range<Int>) {
    self.bytes = bytes.bytes(in: range)
    hash = bytes.mixedHash(in: range)
  }

  init(_ text: String) { self.init(bytes: Array(text.utf8)) }

  init(bytes: [UInt8]) {
    self.bytes = bytes
    hash = bytes.mixedHash
  }

  /// The class that a resource of that name belongs to, such as `keepa.product`: what stands between the first two
  /// slashes. Empty if there are none.
  var kind: ByteName {
    let parts = bytes.split(
      separator: UInt8(ascii: "/"), maxSplits: 2, omittingEmptySubsequences: false)
    return ByteName(bytes: parts.count > 1 ? Array(parts[1]) : [])
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  func hash(into hasher: inout Hasher) { hasher.combine(hash) }

  static func == (left: ByteName, right: ByteName) -> Bool {
    left.hash == right.hash && left.bytes == right.bytes
  }
}

/// Gives each name a small number, in the order in which they come.
struct Names: Sendable {
  private(set) var all: [ByteName] = []
  private var numbers: [ByteName: Int] = [:]
  /// Most events name the same as the one before.
  private var last = 0

  mutating func number(of range: Range<Int>, in bytes: RawSpan) -> Int {
    if last < all.count, bytes.extracting(range).elementsEqual(all[last].bytes) { return last }
    last = number(of: ByteName(bytes, range))
    return last
  }

  mutating func number(of name: ByteName) -> Int {
    if let known = numbers[name] { return known }
    numbers[name] = all.count
    all.append(name)
    return all.count - 1
  }

  mutating func number(of text: String) -> Int { number(of: ByteName(text)) }
}
