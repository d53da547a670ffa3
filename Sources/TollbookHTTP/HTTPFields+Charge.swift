package import HTTPTypes

extension HTTPFields {
  /// Tells what may have been spent beside what was charged, if there is any.
  package mutating func tell(inDoubt amount: Int64) {
    if amount > 0 { self[.chargeInDoubt] = "\(amount)" }
  }
}
