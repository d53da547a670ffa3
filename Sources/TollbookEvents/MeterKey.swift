/// The name of a meter's page in the books: the meter, which is a limit of somebody in some unit, and the window that
/// the page is of, if the meter counts in windows.
///
/// Two are the same if their bytes are, as in the tables. The bytes sort by owner, then unit, then window:
///
/// ```
/// owner kind (1), owner, 0, for each dimension: name, 2, value, 1; then 0, unit, 0, window
/// ```
package struct MeterKey: Hashable, Sendable {
  package let bytes: [UInt8]

  package init(
    _ ownerKind: OwnerKind = .quotaGroup, owner: String, dimensions: [Dimension] = [],
    unit: String, window: String = ""
  ) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 + owner.utf8.count + unit.utf8.count + window.utf8.count)
    bytes.append(UInt8(clamping: ownerKind.rawValue))
    bytes.append(contentsOf: owner.utf8)
    bytes.append(0)
    for dimension in dimensions {
      bytes.append(contentsOf: dimension.name.utf8)
      bytes.append(2)
      bytes.append(contentsOf: dimension.value.utf8)
      bytes.append(1)
    }
    bytes.append(0)
    bytes.append(contentsOf: unit.utf8)
    bytes.append(0)
    bytes.append(contentsOf: window.utf8)
    self.bytes = bytes
  }

  /// The page of a meter as an event names it.
  package init(_ name: MeterName, window: String = "") {
    self.init(
      name.ownerKind, owner: name.owner, dimensions: name.dimensions, unit: name.unit,
      window: window)
  }

  /// A key as it stands in a table.
  package init(bytes: [UInt8]) { self.bytes = bytes }

  // The owner, the dimensions, the unit and the window end with a zero, but for the window. Nothing is split that is asked
  // for often.

  /// Where the zeros behind the owner, the dimensions and the unit stand.
  private var ends: (owner: Int, dimensions: Int, unit: Int) {
    let unit = bytes.lastIndex(of: 0) ?? bytes.endIndex
    let dimensions = bytes[..<unit].lastIndex(of: 0) ?? unit
    let owner = bytes[..<dimensions].dropFirst().firstIndex(of: 0) ?? dimensions
    return (owner, dimensions, unit)
  }

  package var ownerKind: OwnerKind { OwnerKind(rawValue: Int(bytes.first ?? 0)) ?? .quotaGroup }
  package var owner: String { String(decoding: bytes[..<ends.owner].dropFirst(), as: UTF8.self) }

  package var unit: String {
    let ends = ends
    return String(decoding: bytes[ends.dimensions..<ends.unit].dropFirst(), as: UTF8.self)
  }

  /// Empty: the meter does not count in windows.
  package var window: String { String(decoding: bytes[ends.unit...].dropFirst(), as: UTF8.self) }

  /// Whether it is a page of a window.
  package var isOfWindow: Bool { bytes.last != 0 }

  package var dimensions: [Dimension] {
    let ends = ends
    guard ends.owner + 1 < ends.dimensions else { return [] }
    return bytes[(ends.owner + 1)..<ends.dimensions].split(separator: 1).map { part in
      let words = part.split(separator: 2, maxSplits: 1, omittingEmptySubsequences: false)
      var dimension = Dimension()
      dimension.name = String(decoding: words[0], as: UTF8.self)
      dimension.value = String(decoding: words.count > 1 ? words[1] : [], as: UTF8.self)
      return dimension
    }
  }

  /// The meter that the page is of, as events name it.
  package var name: MeterName {
    var name = MeterName()
    name.ownerKind = ownerKind
    name.owner = owner
    name.dimensions = dimensions
    name.unit = unit
    return name
  }

  /// The page of another window of the same meter.
  package func inWindow(_ window: String) -> MeterKey {
    MeterKey(bytes: meterBytes + Array(window.utf8))
  }

  /// What the keys of all pages of the meter begin with.
  package var meterBytes: [UInt8] { Array(bytes[...min(ends.unit, bytes.count - 1)]) }

  /// Whether it can stand in a table, and the names in it can be told apart.
  package var isPossible: Bool {
    guard bytes.count <= 480, let kind = bytes.first, kind <= Self.lastOwnerKind else {
      return false
    }
    var zeros = 0
    // Each dimension is a name, 2, a value, 1.
    var wantsName = true
    for byte in bytes.dropFirst() where byte < 3 {
      switch byte {
      case 0:
        guard wantsName else { return false }
        zeros += 1
      case 2 where zeros == 1 && wantsName: wantsName = false
      case 1 where zeros == 1 && !wantsName: wantsName = true
      case 1, 2: if zeros == 1 { return false }
      default: break
      }
    }
    return zeros == 3
  }

  private static let lastOwnerKind = UInt8(OwnerKind.allCases.map(\.rawValue).max() ?? 0)
}

extension MeterKey: Comparable {
  package static func < (left: MeterKey, right: MeterKey) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension MeterName {
  /// The meter of credentials that share a limit.
  package init(quotaGroup: String, unit: String) {
    self.init()
    owner = quotaGroup
    self.unit = unit
  }
}

extension MeterKey: CustomStringConvertible {
  /// For people: whose it is, which of the owner's limits, and the window, such as `keepa:0fd85260` or
  /// `acme (budget), model flash, day 2026-11-21`. The unit stands beside the amounts.
  package var description: String {
    var parts = [owner]
    if ownerKind != .quotaGroup { parts[0] += " (\(ownerKind.name.replacing("_", with: " ")))" }
    parts += dimensions.map { "\($0.name) \($0.value)" }
    if !window.isEmpty { parts.append(window) }
    return parts.joined(separator: ", ")
  }
}

extension OwnerKind {
  /// As JSON and the metrics call it; one that this version does not know by its number.
  package var name: String {
    switch self {
    case .quotaGroup: "quota_group"
    case .account: "account"
    case .accessKey: "access_key"
    case .budget: "budget"
    case .UNRECOGNIZED(let number): "\(number)"
    }
  }
}
