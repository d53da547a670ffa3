/// The parameters of a query while a ``BinanceRequest`` is read from it. Whoever reads one may replace what is sent
/// by a form that says the same.
struct GivenParameters {
  private let endpoint: BinanceEndpoint
  private var values: [String: String] = [:]

  /// - Throws: a bound that is passed, a name that stands twice, a parameter that is empty or missing.
  init(
    _ endpoint: BinanceEndpoint, _ items: [(name: String, value: String)]
  ) throws(BinanceRequestFault) {
    self.endpoint = endpoint
    guard items.count <= BinanceRequest.mostParameters else {
      throw BinanceRequestFault(.tooManyParameters(items.count), of: "")
    }
    let length = items.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    guard length <= BinanceRequest.mostBytes else {
      let longest = items.max { $0.value.utf8.count < $1.value.utf8.count }
      throw BinanceRequestFault(
        .tooLong(bytes: longest?.value.utf8.count ?? length), of: longest?.name ?? "")
    }
    for (name, value) in items {
      guard values.updateValue(value, forKey: name) == nil else {
        throw BinanceRequestFault(.twice, of: name)
      }
    }
    for parameter in endpoint.parameters where values[parameter.rawValue] == "" {
      throw BinanceRequestFault(.empty, of: parameter)
    }
    for parameter in endpoint.required where values[parameter.rawValue] == nil {
      throw BinanceRequestFault(.missing, of: parameter)
    }
    if endpoint.needsSymbols, value(.symbol) == nil, value(.symbols) == nil {
      throw BinanceRequestFault(.missing, of: .symbol)
    }
  }

  /// A parameter that the endpoint knows; nil: it was not given.
  func value(_ parameter: BinanceParameter) -> String? {
    endpoint.parameters.contains(parameter) ? values[parameter.rawValue] : nil
  }

  /// What is sent for a parameter; nil: nothing.
  mutating func send(_ parameter: BinanceParameter, _ value: String?) {
    values[parameter.rawValue] = value
  }

  var unknown: [String] {
    values.keys.filter { name in
      BinanceParameter(rawValue: name).map { !endpoint.parameters.contains($0) } ?? true
    }.sorted()
  }

  /// Sorted by the bytes of their names.
  var sent: [BinanceRequest.Item] {
    values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { BinanceRequest.Item(name: $0.key, value: $0.value) }
  }

  // MARK: - Kinds of values

  /// A whole number in decimal digits.
  mutating func wholeNumber(
    _ parameter: BinanceParameter, _ range: ClosedRange<Int64>
  ) throws(BinanceRequestFault) -> Int64? {
    guard let text = value(parameter) else { return nil }
    let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
    guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      throw BinanceRequestFault(.notWhole(text), of: parameter)
    }
    guard let number = Int64(text), range.contains(number) else {
      throw BinanceRequestFault(.outside(range, text), of: parameter)
    }
    send(parameter, String(number))
    return number
  }

  mutating func limit() throws(BinanceRequestFault) -> Int? {
    guard let limits = endpoint.limits else { return nil }
    let most = Int64(limits.most)
    // What is cut to the most may be any number above it.
    let allowed = endpoint.cutsLimit ? Int64(Int32.max) : most
    guard let given = try wholeNumber(.limit, 1...allowed) else { return limits.standard }
    let limit = Int(min(given, most))
    send(.limit, limit == limits.standard ? nil : String(limit))
    return limit
  }

  func interval() throws(BinanceRequestFault) -> BinanceInterval? {
    guard let text = value(.interval) else { return nil }
    guard let interval = BinanceInterval(rawValue: text) else {
      throw BinanceRequestFault(.notAnInterval(text), of: .interval)
    }
    return interval
  }

  /// An instant in milliseconds or microseconds: what no millisecond before the year 5138 is, is meant in microseconds.
  mutating func time(
    _ parameter: BinanceParameter, roundedUp: Bool
  ) throws(BinanceRequestFault) -> Int64? {
    let most = BinanceTime.range.upperBound - 1
    guard let text = value(parameter) else { return nil }
    guard let number = try wholeNumber(parameter, 0...most * 1_000) else { return nil }
    guard number >= 100_000_000_000_000 else {
      guard number <= most else {
        throw BinanceRequestFault(.outside(0...most, text), of: parameter)
      }
      return number
    }
    return number / 1_000 + (roundedUp && number % 1_000 > 0 ? 1 : 0)
  }

  mutating func timeZone() throws(BinanceRequestFault) -> BinanceTimeZone {
    guard let text = value(.timeZone) else { return .utc }
    guard let zone = BinanceTimeZone(text) else {
      throw BinanceRequestFault(
        .unknownWord(text, allowed: "an offset from -12:00 to +14:00"), of: .timeZone)
    }
    send(.timeZone, zone == .utc ? nil : zone.text)
    return zone
  }

  /// `1m` to `59m`, `1h` to `23h`, `1d` to `7d`; nil: a day, whether it was said or not.
  mutating func windowSize() throws(BinanceRequestFault) -> String? {
    guard let text = value(.windowSize) else { return nil }
    let units: [Character: Int] = ["m": 59, "h": 23, "d": 7]
    let digits = text.utf8.dropLast()
    guard 1...2 ~= digits.count, digits.allSatisfy({ 0x30...0x39 ~= $0 }),
      let unit = text.last, let most = units[unit], let number = Int(text.dropLast()),
      1...most ~= number
    else {
      throw BinanceRequestFault(
        .unknownWord(text, allowed: "1m to 59m, 1h to 23h or 1d to 7d"), of: .windowSize)
    }
    let size = "\(number)\(unit)"
    send(.windowSize, size == "1d" ? nil : size)
    return size == "1d" ? nil : size
  }

  /// One of a few words. One that says the same as leaving it out is not sent.
  mutating func word(
    _ parameter: BinanceParameter, _ words: [String], standard: String?
  ) throws(BinanceRequestFault) -> String? {
    guard let text = value(parameter) else { return nil }
    guard words.contains(text) else {
      throw BinanceRequestFault(
        .unknownWord(text, allowed: words.joined(separator: " or ")), of: parameter)
    }
    if text == standard { send(parameter, nil) }
    return text
  }

  /// Of exchangeInfo, what cannot be given with symbols (rest-api.md, exchange information).
  func checkExchangeInfo() throws(BinanceRequestFault) {
    guard endpoint == .exchangeInfo else { return }
    let named: BinanceParameter? =
      value(.symbol) != nil ? .symbol : value(.symbols) != nil ? .symbols : nil
    guard let named else { return }
    for parameter in [BinanceParameter.permissions, .symbolStatus] where value(parameter) != nil {
      throw BinanceRequestFault(.notTogether(with: named.rawValue), of: parameter)
    }
  }
}
