private import FoundationEssentials

/// A folder of recorded answers, `<ASIN>.json`: either whole `/product` answers or single products.
///
/// A product's bytes are served as they were recorded: found by a scan, never parsed and rewritten.
package struct RecordedBodies: Sendable {
  /// The folder.
  package let folder: String

  /// Recordings in a folder. Files are read when they are asked for.
  package init(folder: String) {
    self.folder = folder
  }

  /// The recorded product with an ASIN; nil if there is none.
  package func product(asin: String) -> [UInt8]? {
    // An ASIN is letters and digits, so it cannot lead out of the folder.
    guard !ProductDocument.isUnknown(asin: asin),
      let data = FileManager.default.contents(atPath: "\(folder)/\(asin).json")
    else { return nil }
    let bytes = [UInt8](data)
    return Self.product(asin: asin, in: bytes).map { Array(bytes[$0]) }
  }

  /// Where in a recording the product with an ASIN stands.
  package static func product(asin: String, in bytes: [UInt8]) -> Range<Int>? {
    let scan = JSONScan(bytes: bytes)
    let start = scan.afterSpace(0)
    if let products = scan.member("products", ofObjectAt: start) {
      return scan.elements(ofArrayAt: products.lowerBound)?.first { scan.holds(asin: asin, at: $0) }
    }
    guard let end = scan.endOfValue(start) else { return nil }
    return scan.holds(asin: asin, at: start..<end) ? start..<end : nil
  }
}

/// Finds where JSON values begin and end, and nothing else.
private struct JSONScan {
  let bytes: [UInt8]

  /// The first place from `index` on that is not white space.
  func afterSpace(_ index: Int) -> Int {
    var index = index
    while index < bytes.count, [32, 9, 10, 13].contains(bytes[index]) { index += 1 }
    return index
  }

  /// The place after the string that begins at `index`.
  func endOfString(_ index: Int) -> Int? {
    var index = index + 1
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\\"): index += 2
      case UInt8(ascii: "\""): return index + 1
      default: index += 1
      }
    }
    return nil
  }

  /// The place after the value that begins at `index`.
  func endOfValue(_ index: Int) -> Int? {
    var index = index
    var depth = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: "\""):
        guard let end = endOfString(index) else { return nil }
        index = end
        if depth == 0 { return index }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return index }
        depth -= 1
        if depth == 0 { return index + 1 }
      case UInt8(ascii: ","), 32, 9, 10, 13:
        if depth == 0 { return index }
      default: break
      }
      index += 1
    }
    return depth == 0 ? index : nil
  }

  /// The elements of the array that begins at `index`.
  func elements(ofArrayAt index: Int) -> [Range<Int>]? {
    guard index < bytes.count, bytes[index] == UInt8(ascii: "[") else { return nil }
    var elements: [Range<Int>] = []
    var index = afterSpace(index + 1)
    while index < bytes.count, bytes[index] != UInt8(ascii: "]") {
      guard let end = endOfValue(index), end > index else { return nil }
      elements.append(index..<end)
      index = afterSpace(end)
      if index < bytes.count, bytes[index] == UInt8(ascii: ",") { index = afterSpace(index + 1) }
    }
    return elements
  }

  /// The value of a member of the object that begins at `index`.
  func member(_ name: String, ofObjectAt index: Int) -> Range<Int>? {
    guard index < bytes.count, bytes[index] == UInt8(ascii: "{") else { return nil }
    let wanted = Array("\"\(name)\"".utf8)
    var index = afterSpace(index + 1)
    while index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
      guard let endOfName = endOfString(index) else { return nil }
      let isWanted = bytes[index..<endOfName].elementsEqual(wanted)
      index = afterSpace(endOfName)
      guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { return nil }
      index = afterSpace(index + 1)
      guard let end = endOfValue(index), end > index else { return nil }
      if isWanted { return index..<end }
      index = afterSpace(end)
      if index < bytes.count, bytes[index] == UInt8(ascii: ",") { index = afterSpace(index + 1) }
    }
    return nil
  }

  /// Whether the object in a range is the product with an ASIN.
  func holds(asin: String, at range: Range<Int>) -> Bool {
    guard let value = member("asin", ofObjectAt: range.lowerBound) else { return false }
    return bytes[value].elementsEqual("\"\(asin)\"".utf8)
  }
}
