package import JSONText
package import TollbookEvents

extension MeterKey {
  /// Writes what names the page, as members of an object: a meter that credentials share by `credential` and `unit`, any
  /// other by the kind of its owner and the owner. Dimensions and window are there where the meter has them.
  package func writeMembers(to json: inout JSONWriter) {
    if ownerKind == .quotaGroup {
      json.field("credential", owner)
    } else {
      json.field("owner_kind", ownerKind.name)
      json.field("owner", owner)
    }
    let dimensions = dimensions
    if !dimensions.isEmpty {
      json.array("dimensions", dimensions) { json, dimension in
        json.object { json in
          json.field("name", dimension.name)
          json.field("value", dimension.value)
        }
      }
    }
    json.field("unit", unit)
    if !window.isEmpty { json.field("window", window) }
  }

  /// The meter that an object names. Whether it says no more than that, whoever reads it checks by writing it again.
  package init?(members value: JSONValue) {
    guard let unit = value["unit"]?.string else { return nil }
    var (kind, owner) = (OwnerKind.quotaGroup, value["credential"]?.string)
    if let text = value["owner_kind"]?.string {
      guard let named = OwnerKind(name: text) else { return nil }
      (kind, owner) = (named, value["owner"]?.string)
    }
    guard let owner else { return nil }
    var dimensions: [Dimension] = []
    if let array = value["dimensions"]?.array {
      for element in array {
        guard let name = element["name"]?.string, let value = element["value"]?.string else {
          return nil
        }
        var dimension = Dimension()
        dimension.name = name
        dimension.value = value
        dimensions.append(dimension)
      }
    }
    self.init(
      kind, owner: owner, dimensions: dimensions, unit: unit,
      window: value["window"]?.string ?? "")
  }

  /// For people: `atlas:0fd8 tokens`, `budget spring model=small nano-EUR`.
  package var statementTitle: String {
    var words = ownerKind == .quotaGroup ? [owner] : [ownerKind.name, owner]
    words += dimensions.map { "\($0.name)=\($0.value)" }
    words.append(Amount.isMoney(unit) ? "nano-\(unit)" : unit)
    if !window.isEmpty { words.append("of \(window)") }
    return words.joined(separator: " ")
  }
}

extension OwnerKind {
  /// The kind of that name. One that this Tollbook does not know is named by its number.
  fileprivate init?(name text: String) {
    if let known = Self.allCases.first(where: { $0.name == text }) {
      self = known
    } else if let number = UInt8(text), "\(number)" == text {
      self = OwnerKind(rawValue: Int(number)) ?? .quotaGroup
    } else {
      return nil
    }
  }
}
