import Testing
import TollbookEvents

@Suite struct MeterKeyTests {
  private static func dimension(_ name: String, _ value: String) -> Dimension {
    var dimension = Dimension()
    dimension.name = name
    dimension.value = value
    return dimension
  }

  private static let names: [MeterKey] = [
    MeterKey(owner: "keepa:0fd8", unit: "tokens"),
    MeterKey(.account, owner: "acme", unit: "EUR", window: "day 2026-11-21"),
    MeterKey(.accessKey, owner: "key-1", unit: "requests", window: "minute 2026-11-21T08:30"),
    MeterKey(
      .budget, owner: "spring", dimensions: [dimension("model", "flash"), dimension("tier", "")],
      unit: "tokens", window: "day 2026-11-21"),
    MeterKey(owner: "", unit: ""),
    MeterKey(owner: "caf\u{e9}", dimensions: [dimension("", "")], unit: "ton", window: "\u{fe}"),
  ]

  @Test(arguments: names)
  func `a key gives back what it is made of`(key: MeterKey) {
    let again = MeterKey(
      key.ownerKind, owner: key.owner, dimensions: key.dimensions, unit: key.unit,
      window: key.window)
    #expect(again == key)
    #expect(MeterKey(key.name, window: key.window) == key)
    #expect(MeterKey(bytes: key.bytes) == key)
    #expect(key.isPossible)
  }

  @Test func `the names stand in the key as they were given`() {
    let key = Self.names[3]
    #expect(key.ownerKind == .budget)
    #expect(key.owner == "spring")
    #expect(key.dimensions == [Self.dimension("model", "flash"), Self.dimension("tier", "")])
    #expect(key.unit == "tokens")
    #expect(key.window == "day 2026-11-21")
    let bytes =
      [[3], Array("spring".utf8), [0], Array("model".utf8), [2], Array("flash".utf8), [1]]
      + [Array("tier".utf8), [2, 1, 0], Array("tokens".utf8), [0], Array("day 2026-11-21".utf8)]
    #expect(key.bytes == bytes.flatMap { $0 })
  }

  @Test func `keys sort by the kind of owner, the owner, the dimensions, the unit and the window`()
  {
    let flash = [Self.dimension("model", "flash")]
    let sorted = [
      MeterKey(owner: "a", unit: "tokens"),
      MeterKey(owner: "a", unit: "tokens", window: "day 2026-11-20"),
      MeterKey(owner: "a", unit: "tokens", window: "day 2026-11-21"),
      MeterKey(owner: "a", unit: "weight"),
      MeterKey(owner: "a", dimensions: flash, unit: "tokens"),
      MeterKey(owner: "a", dimensions: flash, unit: "tokens", window: "day 2026-11-20"),
      MeterKey(owner: "a:b", unit: "requests"),
      MeterKey(owner: "ab", unit: "requests"),
      MeterKey(owner: "b", unit: "EUR"),
      MeterKey(.account, owner: "a", unit: "EUR"),
      MeterKey(.accessKey, owner: "a", unit: "EUR"),
      MeterKey(.budget, owner: "", unit: "EUR"),
    ]
    #expect(sorted.reversed().sorted() == sorted)
    for (left, right) in zip(sorted, sorted.dropFirst()) {
      #expect(left < right)
      #expect(left != right)
    }
  }

  @Test func `two keys are the same if their bytes are`() {
    let composed = MeterKey(owner: "caf\u{e9}", unit: "tokens")
    let decomposed = MeterKey(owner: "cafe\u{301}", unit: "tokens")
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed, MeterKey(bytes: composed.bytes)]).count == 2)
    #expect(MeterKey(owner: "a", unit: "t", window: "") == MeterKey(owner: "a", unit: "t"))
    #expect(MeterKey(owner: "at", unit: "") != MeterKey(owner: "a", unit: "t"))
  }

  @Test func `the pages of a meter are those that begin with its bytes`() {
    let day = Self.names[3]
    let next = day.inWindow("day 2026-11-22")
    #expect(next.window == "day 2026-11-22")
    #expect(next.name == day.name)
    #expect(next.inWindow(day.window) == day)
    #expect(day.bytes == day.meterBytes + Array("day 2026-11-21".utf8))
    #expect(next.meterBytes == day.meterBytes)
    #expect(day.inWindow("").bytes == day.meterBytes)
    let others = Self.names.filter { $0 != day }
    #expect(others.allSatisfy { !$0.bytes.starts(with: day.meterBytes) })
    // A longer unit is another meter.
    let longer = MeterKey(day.name.unit("tokens2"), window: "day 2026-11-21")
    #expect(!longer.bytes.starts(with: day.meterBytes))
  }

  @Test func `a format 1 name of a meter is that of its credential`() {
    let name = MeterName(quotaGroup: "main", unit: "tokens")
    #expect(MeterKey(name) == MeterKey(.quotaGroup, owner: "main", unit: "tokens"))
    #expect(MeterKey(MeterName()) == MeterKey(owner: "", unit: ""))
  }

  @Test(
    arguments: [
      ("a zero in the owner", MeterKey(owner: "a\u{0}b", unit: "tokens")),
      ("a zero in the unit", MeterKey(owner: "a", unit: "tok\u{0}ens")),
      ("a zero in the window", MeterKey(owner: "a", unit: "tokens", window: "day\u{0}")),
      (
        "a zero in a dimension's name",
        MeterKey(owner: "a", dimensions: [dimension("mo\u{0}del", "flash")], unit: "tokens")
      ),
      (
        "a zero in a dimension's value",
        MeterKey(owner: "a", dimensions: [dimension("model", "\u{0}")], unit: "tokens")
      ),
      (
        "a 1 in a dimension's name",
        MeterKey(owner: "a", dimensions: [dimension("mo\u{1}del", "flash")], unit: "tokens")
      ),
      (
        "a 2 in a dimension's name",
        MeterKey(owner: "a", dimensions: [dimension("model\u{2}", "flash")], unit: "tokens")
      ),
      (
        "a 1 in a dimension's value",
        MeterKey(owner: "a", dimensions: [dimension("model", "fl\u{1}ash")], unit: "tokens")
      ),
      (
        "a 2 in a dimension's value",
        MeterKey(owner: "a", dimensions: [dimension("model", "\u{2}flash")], unit: "tokens")
      ),
      ("an owner of 600 bytes", MeterKey(owner: String(repeating: "o", count: 600), unit: "t")),
      (
        "a kind of owner that nobody knows",
        MeterKey(OwnerKind(rawValue: 9) ?? .quotaGroup, owner: "a", unit: "t")
      ),
      ("nothing", MeterKey(bytes: [])),
      ("too few names", MeterKey(bytes: [0, 65, 0, 0])),
      ("too many names", MeterKey(bytes: [0, 65, 0, 0, 0, 0])),
      ("half a dimension", MeterKey(bytes: [0, 65, 0, 66, 2, 0, 67, 0])),
    ] as [(String, MeterKey)])
  func `a key whose names cannot be told apart is impossible`(what: String, key: MeterKey) {
    #expect(!key.isPossible, "\(what)")
  }

  @Test func `signs that part dimensions may stand in other names`() {
    let key = MeterKey(owner: "a\u{1}\u{2}", unit: "\u{2}", window: "\u{1}")
    #expect(key.isPossible)
    #expect(key.owner == "a\u{1}\u{2}")
    #expect(key.dimensions.isEmpty)
    #expect(key.unit == "\u{2}")
    #expect(key.window == "\u{1}")
  }

  @Test func `a key is possible up to 480 bytes`() {
    let others = MeterKey(owner: "", unit: "tokens").bytes.count
    for (length, isPossible) in [(480, true), (481, false)] {
      let owner = String(repeating: "o", count: length - others)
      let key = MeterKey(owner: owner, unit: "tokens")
      #expect(key.bytes.count == length)
      #expect(key.isPossible == isPossible)
      #expect(key.owner == owner)
    }
  }
}

extension MeterName {
  fileprivate func unit(_ unit: String) -> MeterName {
    var name = self
    name.unit = unit
    return name
  }
}
