import Testing
import TollbookEvents

@Suite("a meter that is closed, in the place of a quota group") struct ClosedMeterTests {
  private static func key(
    _ owner: String, _ dimensions: [(String, String)], _ unit: String,
    of kind: OwnerKind = .quotaGroup
  ) -> MeterKey {
    let dimensions = dimensions.map { name, value in
      var dimension = Dimension()
      (dimension.name, dimension.value) = (name, value)
      return dimension
    }
    return MeterKey(kind, owner: owner, dimensions: dimensions, unit: unit)
  }

  private static func closed(_ owner: String, _ dimensions: [(String, String)], _ unit: String)
    -> CredentialCooled
  {
    var event = CredentialCooled()
    event.quotaGroup = key(owner, dimensions, unit).closureName
    return event
  }

  @Test func `plain names stand as they are`() {
    #expect(
      Self.key("atlas:1", [("model", "flash-3.5")], "requests").closureName
        == "atlas:1/model=flash-3.5/requests")
    #expect(Self.key("atlas:1", [], "USD").closureName == "atlas:1/USD")
    #expect(Self.key("acme", [], "USD", of: .account).closureName == "account=acme/USD")
  }

  @Test func `two limits never have one name`() {
    // Each part is one of a few in which whatever separates names stands.
    let words = ["", "a", "/", "=", "%", "a/b", "a=b", "%2F", "a/b=c", "account=a"]
    var keys: [MeterKey] = []
    for owner in words {
      for unit in words {
        keys.append(Self.key(owner, [], unit))
        keys.append(Self.key(owner, [], unit, of: .account))
        for value in words {
          keys.append(Self.key(owner, [(unit, value)], "u"))
          keys.append(Self.key("o", [("n", owner), (value, unit)], "u"))
        }
      }
    }
    var byName: [String: MeterKey] = [:]
    for key in keys {
      let other = byName.updateValue(key, forKey: key.closureName)
      #expect(other == nil || other == key, "\(key.closureName)")
      #expect(MeterKey(closureName: key.closureName) == key, "\(key.closureName)")
    }
    #expect(byName.count == Set(keys).count)
  }

  @Test func `windows of one limit have one name`() {
    let key = Self.key("atlas:1", [("model", "a")], "requests")
    #expect(key.inWindow("2026-11-28").closureName == key.closureName)
  }

  @Test(arguments: ["", "a", "a=b=c/u", "o/a/u", "o/a=b=c/u", "o/u=v", "wizard=a/u"])
  func `what is no name of a limit stands for none`(name: String) {
    #expect(MeterKey(closureName: name) == nil)
  }

  @Test func `it is told by its unit and its dimensions, or else by its owner`() {
    let told = [
      Self.closed("atlas:1", [("model", "flash-3.5")], "requests"),
      Self.closed("atlas:1", [("model", "flash"), ("region", "eu")], "daily_requests"),
      Self.closed("atlas:1", [("model", "maps/flash")], "input_tokens"),
      Self.closed("atlas:1", [("model", "a=b")], "requests"),
      Self.closed("atlas:1", [], "USD"),
    ].map(\.closedMeter)
    #expect(
      told == [
        "requests of model flash-3.5", "daily requests of model flash and region eu",
        "input tokens of model maps/flash", "requests of model a=b", "USD of atlas:1",
      ])
  }

  @Test(arguments: ["", "atlas:0fd85260", "project-7"])
  func `a quota group is none`(name: String) {
    var event = CredentialCooled()
    event.quotaGroup = name
    #expect(event.closedMeter == nil)
  }
}
