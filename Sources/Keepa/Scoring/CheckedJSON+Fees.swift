package import TollbookUpstreams

extension CheckedJSON {
  func amount() throws(DataFileError) -> Int64 { try integer(0...MoneyBounds.maximum) }

  func rate() throws(DataFileError) -> FeeRate {
    FeeRate(hundredths: try integer(0...FeeRate.whole)) ?? .zero
  }
}

/// Why a file of fees cannot be used.
package typealias FeeTableError = DataFileError

/// Why a file of settings of the score cannot be used.
package typealias ScoringConfigurationError = DataFileError
