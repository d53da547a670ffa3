import JSONText
package import TollbookEvents
package import TollbookUpstreams

/// The models that can be bought from: what their tokens cost by day, and how much of them a project may use. From a file
/// that can be replaced.
///
/// The file that the program is built with is `GeminiModels.json`; every price in it names its source.
package struct GeminiModels: Sendable {
  package struct Model: Sendable {
    package let name: String
    /// The most tokens of a prompt, and of an answer with its thoughts.
    package let inputLimit: Int64
    package let outputLimit: Int64
    /// The most tokens that a page of a PDF, and an image, take.
    package let pageTokens: Int64
    package let imageTokens: Int64
    package let requestsPerMinute: Int64
    package let inputTokensPerMinute: Int64
    package let requestsPerDay: Int64
    package let prices: DatedSeries<GeminiPrice>

    /// What holds on a day; nil where the file has no price for it. After the end of the last period its price still holds,
    /// since nothing is ever free.
    package func price(on day: CalendarDay) -> GeminiPrice? { prices.value(on: day)?.value }
  }

  package let currency: String
  /// The most that a project may spend in ten minutes, in nano-units.
  package let spendLimit: Int64
  /// In the order of the file.
  package let models: [Model]
  private let byName: [String: Int]

  /// A model by its name, or by a name that stands for it.
  package func model(_ name: String) -> Model? { byName[name].map { models[$0] } }

  /// Reads a file of models and checks all of it.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  package init(json: [UInt8]) throws(DataFileError) {
    let file = try CheckedJSON(text: json)
    try file.allow("version", "note", "currency", "spend_in_ten_minutes", "models")
    _ = try file.member("version").integer(1...1)
    let currency = try file.member("currency")
    self.currency = try currency.text()
    guard self.currency.wholeMatch(of: /[A-Z]{3}/) != nil else {
      throw currency.fault(.isNot("three capital letters, such as USD", found: .string))
    }
    spendLimit = try Self.amount(try file.member("spend_in_ten_minutes"))
    var models: [Model] = []
    var byName: [String: Int] = [:]
    for json in try file.member("models").elements() {
      let (model, aliases) = try Self.model(json)
      for name in [model.name] + aliases {
        guard byName.updateValue(models.count, forKey: name) == nil else {
          throw json.fault(.twice(name))
        }
      }
      models.append(model)
    }
    self.models = models
    self.byName = byName
  }

  /// The bytes of the file that the program is built with, for a digest.
  package static var builtInJSON: [UInt8] { PackageResources.GeminiModels_json }

  private static func model(
    _ json: CheckedJSON
  ) throws(DataFileError) -> (model: Model, aliases: [String]) {
    try json.allow(
      "name", "aliases", "input_limit", "output_limit", "page_tokens", "image_tokens",
      "requests_per_minute", "input_tokens_per_minute", "requests_per_day", "prices")
    var aliases: [String] = []
    for alias in try json.optional("aliases")?.elements() ?? [] { aliases.append(try name(alias)) }
    func number(_ name: String) throws(DataFileError) -> Int64 {
      try json.member(name).integer(1...1 << 40)
    }
    let model = Model(
      name: try name(try json.member("name")), inputLimit: try number("input_limit"),
      outputLimit: try number("output_limit"), pageTokens: try number("page_tokens"),
      imageTokens: try number("image_tokens"), requestsPerMinute: try number("requests_per_minute"),
      inputTokensPerMinute: try number("input_tokens_per_minute"),
      requestsPerDay: try number("requests_per_day"),
      prices: try DatedSeries(try json.member("prices"), price))
    return (model, aliases)
  }

  private static func name(_ json: CheckedJSON) throws(DataFileError) -> String {
    let text = try json.text()
    guard isName(text) else {
      throw json.fault(.unknown("“\(text.inOneLine(atMost: 50))” cannot be the name of a model"))
    }
    return text
  }

  /// Whether a text may name a model.
  package static func isName(_ text: String) -> Bool {
    text.wholeMatch(of: /[a-z0-9][a-z0-9.\-]{0,63}/) != nil
  }

  private static func price(_ json: CheckedJSON) throws(DataFileError) -> GeminiPrice {
    try json.allow("from", "until", "source", "bands")
    _ = try json.member("source").text()
    var bands: [GeminiPrice.Band] = []
    let elements = try json.member("bands").elements()
    for (index, band) in elements.enumerated() {
      try band.allow("up_to", "input", "output", "cached")
      let upTo = try band.optional("up_to").map { json throws(DataFileError) in
        try json.integer(1...1 << 40)
      }
      if index == elements.count - 1, upTo != nil {
        throw band.fault(.hole("no band holds for longer prompts"))
      }
      if index < elements.count - 1 {
        guard let upTo else { throw band.fault(.overlap("the band before the last has no end")) }
        guard upTo > bands.last?.upTo ?? 0 else { throw band.fault(.notRising) }
      }
      func price(_ name: String) throws(DataFileError) -> Int64? {
        try band.optional(name).map { json throws(DataFileError) in try amount(json) }
      }
      bands.append(
        GeminiPrice.Band(
          upTo: upTo, input: try amount(try band.member("input")), output: try price("output"),
          cached: try price("cached")))
    }
    return GeminiPrice(bands: bands)
  }

  /// Money as decimal text, above nothing: what costs nothing is no metered API.
  private static func amount(_ json: CheckedJSON) throws(DataFileError) -> Int64 {
    let text = try json.text()
    guard let amount = DecimalText.nanoUnits(text), amount > 0 else {
      throw json.fault(
        .unknown("“\(text.inOneLine(atMost: 50))” is no amount above 0 in decimal text"))
    }
    return amount
  }
}
