import JSONText

/// Why a call is not answered: a status, and a code and a message for the body.
struct BinanceError: Error, Equatable {
  var status = 400
  let code: Int
  let message: String

  private init(_ code: Int, _ message: String, status: Int = 400) {
    self.status = status
    self.code = code
    self.message = message
  }

  /// The body.
  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("code", code)
      json.field("msg", message)
    }
    return json.bytes
  }

  // MARK: Parameters

  static func illegalCharacters(_ name: String, pattern: String) -> BinanceError {
    BinanceError(
      -1100, "Illegal characters found in parameter '\(name)'; legal range is '\(pattern)'.")
  }

  static func tooManyParameters(expected: Int, received: Int) -> BinanceError {
    BinanceError(-1101, "Too many parameters; expected '\(expected)' and received '\(received)'.")
  }

  static func doubled(_ name: String) -> BinanceError {
    BinanceError(-1101, "Duplicate values for parameter '\(name)' detected.")
  }

  static func missing(_ name: String) -> BinanceError {
    BinanceError(
      -1102, "Mandatory parameter '\(name)' was not sent, was empty/null, or malformed.")
  }

  static let missingSymbols = BinanceError(
    -1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")

  static func unread(read: Int, sent: Int) -> BinanceError {
    BinanceError(
      -1104,
      "Not all sent parameters were read; read '\(read)' parameter(s) but was sent '\(sent)'.")
  }

  static func empty(_ name: String) -> BinanceError {
    BinanceError(-1105, "Parameter '\(name)' was empty.")
  }

  static let badInterval = BinanceError(-1120, "Invalid interval.")
  static let badSymbol = BinanceError(-1121, "Invalid symbol.")
  static let badStatus = BinanceError(-1122, "Invalid symbolStatus.")
  static let badCombination = BinanceError(-1128, "Combination of optional parameters invalid.")

  static func invalid(_ name: String) -> BinanceError {
    BinanceError(-1130, "Data sent for parameter '\(name)' is not valid.")
  }

  static let badTickerType = BinanceError(-1139, "Invalid ticker type.")
  static let repeatedSymbol = BinanceError(
    -1151, "Symbol is present multiple times in the list.")
  static let badTimeUnit = BinanceError(
    -1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
  static let otherStatus = BinanceError(
    -1220, "The symbol's status does not match the requested symbolStatus.")

  // MARK: Limits and failures

  static func tooMuchWeight(limit: Int) -> BinanceError {
    BinanceError(
      -1003,
      "Too much request weight used; current limit is \(limit) request weight per 1 MINUTE. "
        + "Ask less often.",
      status: 429)
  }

  /// - Parameter until: milliseconds since 1970
  static func banned(until: Int64) -> BinanceError {
    BinanceError(
      -1003, "Way too much request weight used; IP banned until \(until). Ask less often.",
      status: 418)
  }

  static let restricted = BinanceError(
    0, "Service unavailable from a restricted location.", status: 451)
  static let internalError = BinanceError(
    -1000, "An unknown error occurred while processing the request.", status: 500)
  static let overloaded = BinanceError(
    -1008, "Server is currently overloaded with other requests. Please try again in a few minutes.",
    status: 503)
}
