/// What refreshing ahead may take of a meter that counts in windows, such as each minute.
package struct AheadAllowance: Hashable, Sendable {
  /// The most that it may spend in each window.
  package var perWindow: Int64
  /// What it leaves in each window for those who wait for an answer, and for others who use the meter.
  package var reserve: Int64

  package init(perWindow: Int64, reserve: Int64) {
    self.perWindow = max(0, perWindow)
    self.reserve = max(0, reserve)
  }
}
