// A single meter that an upstream has closed stands in `CredentialCooled` in the place of the quota group, by a name of its
// own.

extension MeterKey {
  /// What it is called where it is closed: the owner, the dimensions, the unit, such as `atlas:1/model=flash/requests`.
  ///
  /// 1. No quota group has a name with a slash.
  /// 2. Two meters never have the same name: a `/`, `=` or `%` in one of the parts stands there as `%2F`, `%3D` or `%25`.
  /// 3. Of an owner that is no quota group the kind stands before it, such as `budget=day/USD`.
  /// 4. The window is left out: a meter is closed whatever window it counts in.
  package var closureName: String {
    let kind = ownerKind == .quotaGroup ? "" : "\(ownerKind.name)="
    let dimensions = dimensions.map { "\(Self.escaped($0.name))=\(Self.escaped($0.value))" }
    return ([kind + Self.escaped(owner)] + dimensions + [Self.escaped(unit)])
      .joined(separator: "/")
  }

  /// The meter that such a name stands for; nil: it is the name of none.
  package init?(closureName: String) {
    let parts = closureName.utf8.split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
    ).map { part in
      part.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
        .map(Self.unescaped)
    }
    guard parts.count > 1, let unit = parts.last, unit.count == 1,
      let owner = parts.first, owner.count <= 2
    else { return nil }
    var kind = OwnerKind.quotaGroup
    if owner.count == 2 {
      guard let named = OwnerKind.allCases.first(where: { $0.name == owner[0] }) else {
        return nil
      }
      kind = named
    }
    var dimensions: [Dimension] = []
    for words in parts.dropFirst().dropLast() {
      guard words.count == 2 else { return nil }
      var dimension = Dimension()
      (dimension.name, dimension.value) = (words[0], words[1])
      dimensions.append(dimension)
    }
    self.init(kind, owner: owner[owner.count - 1], dimensions: dimensions, unit: unit[0])
  }

  /// For people: what is limited, such as `requests of model flash`; without dimensions of whom.
  package var limitName: String {
    let dimensions = dimensions.map { "\($0.name) \($0.value)" }
    let whose = dimensions.isEmpty ? owner : dimensions.joined(separator: " and ")
    return "\(unit.replacing("_", with: " ")) of \(whose)"
  }

  private static let escapes: [UInt8: String] = [
    UInt8(ascii: "%"): "%25", UInt8(ascii: "/"): "%2F", UInt8(ascii: "="): "%3D",
  ]

  private static func escaped(_ text: String) -> String {
    String(
      decoding: text.utf8.flatMap { byte in escapes[byte].map { Array($0.utf8) } ?? [byte] },
      as: UTF8.self)
  }

  private static func unescaped(_ text: Substring.UTF8View) -> String {
    var bytes: [UInt8] = []
    var rest = text[...]
    while let byte = rest.first {
      if let escape = escapes.first(where: { rest.starts(with: $0.value.utf8) }) {
        bytes.append(escape.key)
        rest = rest.dropFirst(escape.value.utf8.count)
      } else {
        bytes.append(byte)
        rest = rest.dropFirst()
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension CredentialCooled {
  /// The meter that is closed, for people, such as `requests of model flash`; nil: it is no meter, the credential cools and
  /// with it its quota group.
  package var closedMeter: String? { MeterKey(closureName: quotaGroup)?.limitName }
}
