package import JSONText
import TollbookUpstreams

// Settings as a file, and as the text that tells one from another.

extension ScoringConfiguration {
  /// Reads settings from a file. What it leaves out keeps its standard; `rules`, if it is there, must be this
  /// program's; `"buy_ratio": null` switches the guess off.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  package init(json: [UInt8]) throws(ScoringConfigurationError) {
    try self.init(CheckedJSON(text: json))
  }

  /// The same settings always make the same text, and other settings another: its digest tells results of one score from
  /// those of another. It is a file that ``init(json:)`` reads.
  package var version: String {
    var json = JSONWriter()
    write(to: &json)
    return json.string
  }

  private init(_ json: CheckedJSON) throws(DataFileError) {
    self.init()
    try json.allow(
      "rules", "buy_ratio", "cautious_price", "target_roi", "drops_factor", "rising_percent",
      "falling_percent", "bands", "weights", "roi", "competition", "beside_amazon_percent",
      "amazon_holds_percent", "stability")
    if let member = json.optional("rules") { _ = try member.integer(Self.rules...Self.rules) }
    if json.value["buy_ratio"] != nil {
      buyRatio = try json.optional("buy_ratio").map { json throws(DataFileError) in
        try json.rate()
      }
    }
    if let member = json.optional("cautious_price") { isCautious = try member.bool() }
    if let member = json.optional("bands") { bands = try VelocityBands(member) }
    if let member = json.optional("weights") { weights = try Weights(member) }
    if let member = json.optional("roi") { roi = try ScoreCurve(member) }
    if let member = json.optional("competition") { competition = try ScoreCurve(member) }
    if let member = json.optional("stability") { stability = try ScoreCurve(member) }
    try readNumbers(json)
  }

  private mutating func readNumbers(_ json: CheckedJSON) throws(DataFileError) {
    if let member = json.optional("target_roi") { targetROI = try member.integer(0...1_000_000) }
    if let member = json.optional("drops_factor") {
      dropsFactor = try member.integer(0...1_000_000)
    }
    if let member = json.optional("falling_percent") {
      fallingPercent = try member.integer(0...1_000)
    }
    if let member = json.optional("rising_percent") {
      risingPercent = try member.integer(0...1_000)
    }
    guard fallingPercent < risingPercent else {
      throw DataFileError(.notRising, at: "rising_percent")
    }
    if let member = json.optional("beside_amazon_percent") {
      besideAmazonPercent = try member.integer(0...100)
    }
    if let member = json.optional("amazon_holds_percent") {
      amazonHoldsPercent = try member.integer(0...100)
    }
  }
}

extension ScoringConfiguration.Weights {
  init(_ json: CheckedJSON) throws(DataFileError) {
    try json.allow("roi", "velocity", "competition", "stability")
    roi = try json.member("roi").integer(0...1_000)
    velocity = try json.member("velocity").integer(0...1_000)
    competition = try json.member("competition").integer(0...1_000)
    stability = try json.member("stability").integer(0...1_000)
    // The other two may be unknown, and then these must carry the score.
    guard roi + velocity > 0 else { throw json.fault(.empty) }
  }
}

extension VelocityBands {
  init(_ json: CheckedJSON) throws(DataFileError) {
    let order = VelocityBand.allCases.map(\.rawValue)
    try json.allow("none", "low", "medium", "high", "very_high", "top")
    var entries: [Entry] = []
    for (band, name) in zip(VelocityBand.allCases, order) {
      let member = try json.member(name)
      try member.allow("from", "points")
      let from = try member.member("from")
      let units = try from.integer(0...Int64(Int32.max))
      if let last = entries.last, units <= last.from { throw from.fault(.notRising) }
      if entries.isEmpty, units > 0 { throw from.fault(.hole("0 units have no band")) }
      let points = try member.member("points").integer(0...100)
      entries.append(Entry(band: band, from: units, points: points))
    }
    self.entries = entries
  }
}

extension ScoreCurve {
  init(_ json: CheckedJSON) throws(DataFileError) {
    var knots: [Knot] = []
    for element in try json.elements() {
      try element.allow("at", "points")
      let at = try element.member("at")
      let place = try at.integer(-1_000_000_000...1_000_000_000)
      if let last = knots.last, place <= last.at { throw at.fault(.notRising) }
      knots.append(Knot(place, try element.member("points").integer(0...100)))
    }
    self.knots = knots
  }
}

// MARK: - Writing

extension ScoringConfiguration: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("rules", Self.rules)
      json.field("buy_ratio", buyRatio?.hundredths)
      json.field("cautious_price", isCautious)
      json.field("target_roi", targetROI)
      json.field("drops_factor", dropsFactor)
      json.field("rising_percent", risingPercent)
      json.field("falling_percent", fallingPercent)
      json.object("bands") { json in
        for entry in bands.entries {
          json.object(entry.band.rawValue) { json in
            json.field("from", entry.from)
            json.field("points", entry.points)
          }
        }
      }
      json.object("weights") { json in
        json.field("roi", weights.roi)
        json.field("velocity", weights.velocity)
        json.field("competition", weights.competition)
        json.field("stability", weights.stability)
      }
      json.field("roi", roi)
      json.field("competition", competition)
      json.field("beside_amazon_percent", besideAmazonPercent)
      json.field("amazon_holds_percent", amazonHoldsPercent)
      json.field("stability", stability)
    }
  }
}

extension ScoreCurve: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.array(knots) { json, knot in
      json.object { json in
        json.field("at", knot.at)
        json.field("points", knot.points)
      }
    }
  }
}
