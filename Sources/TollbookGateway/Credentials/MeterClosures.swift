import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

// Meters that an upstream has said no on: until when, whatever the books have left.

extension [MeterStanding] {
  /// The same, as far as upstreams have closed meters of their own.
  func closed(
    by credentials: CredentialsView, _ state: borrowing LogReading
  ) throws(LogError) -> [MeterStanding] {
    var standings = self
    for index in standings.indices where standings[index].use.budget == nil {
      let name = standings[index].use.meter.closureName
      guard let row = try credentials.cooling(of: name, in: state),
        standings[index].now < row.until
      else { continue }
      standings[index].closedUntil = row.until
    }
    return standings
  }
}
