import Foundation
import TollbookEvents

extension TimeSource {
  /// The machine's own clocks. The only place that reads them.
  package static let system = {
    let clock = ContinuousClock()
    let start = clock.now
    return TimeSource(
      now: { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) },
      monotonicNanoseconds: {
        let elapsed = (clock.now - start).components
        return elapsed.seconds * 1_000_000_000 + elapsed.attoseconds / 1_000_000_000
      },
      sleep: { milliseconds in try await clock.sleep(for: .milliseconds(max(0, milliseconds))) })
  }()
}
