import Testing
import TollbookEvents

@Suite("a meter that is closed, in the place of a quota group") struct ClosedMeterTests {
  private static func closed(_ owner: String, _ dimensions: [(String, String)], _ unit: String)
    -> CredentialCooled
  {
    let dimensions = dimensions.map { name, value in
      var dimension = Dimension()
      (dimension.name, dimension.value) = (name, value)
      return dimension
    }
    var event = CredentialCooled()
    event.quotaGroup = MeterKey(owner: owner, dimensions: dimensions, unit: unit).closureName
    return event
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
