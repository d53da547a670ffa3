import JSONText
import TollbookEvents
package import TollbookUpstreams

/// What each request counts towards the exchange's limit of weight a minute, by day. From a file that can be replaced.
///
/// The file that the program is built with is `BinanceWeights.json`; every weight in it names its source.
package struct BinanceWeights: Sendable {
  /// The weight that an address may use in a minute, as long as `exchangeInfo` has not said another one.
  package let perMinute: Int64
  private let rules: [BinanceEndpoint: DatedSeries<BinanceWeightRule>]

  /// What a request weighs on the day of an instant, in UTC. What the table says first also holds before, and what it says
  /// last also holds after: no request is ever free.
  ///
  /// - Parameter instant: in milliseconds since 1970.
  package func weight(of request: BinanceRequest, at instant: Int64) -> Int64 {
    // Each endpoint has a rule: reading the file saw to it.
    rule(of: request.endpoint, at: instant)?.weight(of: request) ?? perMinute
  }

  /// The same of a request for so many symbols by name, one or a list.
  package func weight(of endpoint: BinanceEndpoint, symbols: Int, at instant: Int64) -> Int64 {
    rule(of: endpoint, at: instant)?.weight(ofSymbols: symbols) ?? perMinute
  }

  private func rule(of endpoint: BinanceEndpoint, at instant: Int64) -> BinanceWeightRule? {
    let number = max(0, instant) / BinanceTime.day
    let series = rules[endpoint]
    return series?.value(on: CalendarDay(number: number))?.value ?? series?.periods.first?.value
  }

  /// The bytes of the file that the program is built with, for a digest.
  package static var builtInJSON: [UInt8] { PackageResources.BinanceWeights_json }

  /// Reads a file of weights and checks all of it.
  ///
  /// - Throws: the first member that is wrong, and what is wrong with it.
  package init(json: [UInt8]) throws(DataFileError) {
    let file = try CheckedJSON(text: json)
    try file.allow("version", "note", "weight_per_minute", "endpoints")
    _ = try file.member("version").integer(1...1)
    perMinute = try file.member("weight_per_minute").integer(1...BinanceRateLimit.mostLimit)
    var rules: [BinanceEndpoint: DatedSeries<BinanceWeightRule>] = [:]
    let endpoints = try file.member("endpoints")
    for json in try endpoints.elements() {
      try json.allow("name", "weights")
      let name = try json.member("name")
      let text = try name.text()
      guard let endpoint = BinanceEndpoint(rawValue: text) else {
        throw name.fault(
          .unknownWord(
            text.inOneLine(atMost: 50), allowed: BinanceEndpoint.allCases.map(\.rawValue)))
      }
      let series = try DatedSeries(try json.member("weights")) { json throws(DataFileError) in
        try BinanceWeightRule(json, of: endpoint)
      }
      guard rules.updateValue(series, forKey: endpoint) == nil else {
        throw name.fault(.twice(text))
      }
    }
    for endpoint in BinanceEndpoint.allCases where rules[endpoint] == nil {
      throw endpoints.fault(.hole("no weight of \(endpoint.name)"))
    }
    self.rules = rules
  }
}
