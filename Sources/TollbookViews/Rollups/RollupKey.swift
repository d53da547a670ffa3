import Bytes
package import TollbookEvents

/// Of what a row of the rollups is: an hour, who pays, for what, and in which unit.
///
/// The key is the hour since 1970 by the clock (8 bytes), account, 0, operation, 0, kind, 0, tags with a 1 between them, 0,
/// unit.
package struct RollupKey: Sendable {
  /// Hours since 1970.
  package let hour: UInt64
  package let account: String
  package let operation: String
  /// Of the resources; empty: the call itself.
  package let kind: String
  package let tags: [String]
  /// Empty: the row counts.
  package let unit: String

  /// A key as it stands in the table; nil if it is none.
  init?(_ key: RawSpan) {
    guard key.byteCount >= 8 else { return nil }
    let names = key.bytes(in: 8..<key.byteCount)
      .split(separator: 0, maxSplits: 4, omittingEmptySubsequences: false)
    guard names.count == 5 else { return nil }
    hour = key.bigEndianUInt64(at: 0)
    account = String(decoding: names[0], as: UTF8.self)
    operation = String(decoding: names[1], as: UTF8.self)
    kind = String(decoding: names[2], as: UTF8.self)
    tags = names[3].split(separator: 1).map { String(decoding: $0, as: UTF8.self) }
    unit = String(decoding: names[4], as: UTF8.self)
  }

  package static let millisecondsPerHour: Int64 = 3_600_000

  /// The hour that an instant is in; what is before 1970 is in the first.
  package static func hour(of time: Timestamp) -> UInt64 {
    UInt64(max(0, time.milliseconds) / millisecondsPerHour)
  }

  /// The first instant of an hour.
  package static func start(ofHour hour: UInt64) -> Timestamp {
    Timestamp(milliseconds: Int64(clamping: hour).clampedProduct(by: millisecondsPerHour))
  }

  /// What the keys of a payer's rows begin with; the unit follows. Nil if the names cannot be told apart in a key.
  static func prefix(hour: UInt64, _ payer: Payer, operation: String) -> [UInt8]? {
    var key: [UInt8] = []
    key.reserveCapacity(
      16 + payer.account.utf8.count + operation.utf8.count + payer.kind.utf8.count)
    key.append(bigEndian: hour)
    for name in [payer.account, operation, payer.kind] {
      guard !name.utf8.contains(0) else { return nil }
      key.append(utf8: name)
      key.append(0)
    }
    for (index, tag) in payer.tags.enumerated() {
      guard !tag.isEmpty, !tag.utf8.contains(where: { $0 < 2 }) else { return nil }
      if index > 0 { key.append(1) }
      key.append(utf8: tag)
    }
    key.append(0)
    return key.count <= longest ? key : nil
  }

  /// The key of a payer's row of a unit; nil if LMDB does not take it.
  static func key(_ prefix: [UInt8], unit: String) -> [UInt8]? {
    guard !unit.utf8.contains(0), prefix.count + unit.utf8.count <= longest else { return nil }
    return prefix + Array(unit.utf8)
  }

  /// The key of the same row in another hour.
  static func key(_ key: KeyBytes, inHour hour: UInt64) -> KeyBytes {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(key.bytes.count)
    bytes.append(bigEndian: hour)
    bytes.append(contentsOf: key.bytes.dropFirst(8))
    return KeyBytes(bytes)
  }

  private static let longest = 511
}

extension Int64 {
  /// The product, or the largest number if none holds it.
  fileprivate func clampedProduct(by factor: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
