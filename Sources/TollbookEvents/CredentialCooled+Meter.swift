// A single meter that an upstream has closed stands in `CredentialCooled` in the place of the quota group, by a name of its
// own.

extension MeterKey {
  /// What it is called where it is closed: the owner, the dimensions, the unit, such as `atlas:1/model=flash/requests`. No
  /// quota group has a name with a slash.
  package var closureName: String {
    let dimensions = dimensions.map { "\($0.name)=\($0.value)" }
    return ([owner] + dimensions + [unit]).joined(separator: "/")
  }
}

extension CredentialCooled {
  /// The meter that is closed, for people, such as `requests of model flash`; nil: it is no meter, the credential cools and
  /// with it its quota group.
  package var closedMeter: String? {
    let parts = quotaGroup.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count > 1, let owner = parts.first, let unit = parts.last else { return nil }
    var dimensions: [String] = []
    for part in parts.dropFirst().dropLast() {
      let words = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if words.count == 1, let last = dimensions.indices.last {
        // The value of a dimension may have a slash.
        dimensions[last] += "/\(part)"
      } else {
        dimensions.append(words.joined(separator: " "))
      }
    }
    let whose = dimensions.isEmpty ? String(owner) : dimensions.joined(separator: " and ")
    return "\(unit.replacing("_", with: " ")) of \(whose)"
  }
}
