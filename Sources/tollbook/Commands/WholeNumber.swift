import ArgumentParser

/// Reads a number that cannot be negative from the command line, and says what it must be where it is not that. The
/// option has to take what begins with a dash.
func wholeNumber<Number: FixedWidthInteger & Sendable>(
  from least: Number
) -> @Sendable (String) throws -> Number {
  { text in
    guard let number = Number(text), number >= least else {
      throw ValidationError("it must be \(least) or more")
    }
    return number
  }
}
