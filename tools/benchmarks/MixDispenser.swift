import Synchronization
import TollbookEvents
import TollbookLog

/// Hands out the events of the mix in order, however many a caller takes at a time. Deciders run one after the other, so
/// that a fetch which is cut in two goes on where it stopped.
final class MixDispenser: Sendable {
  private struct State {
    var fetch = 0
    var rest: ArraySlice<Event> = []
  }

  private let state = Mutex(State())
  private let world: Int
  private let furtherMeters: Int

  /// - Parameters:
  ///   - world: how many different products there are.
  ///   - furtherMeters: as of the mix.
  init(world: Int = 100_000, furtherMeters: Int = 0) {
    self.world = world
    self.furtherMeters = furtherMeters
  }

  func take(_ count: Int, _ context: DecisionContext) -> [Event] {
    state.withLock { state in
      var events: [Event] = []
      events.reserveCapacity(count)
      while events.count < count {
        if state.rest.isEmpty {
          let first = context.next + UInt64(events.count)
          state.rest =
            EventMix.fetch(
              state.fetch, of: world, first: first, at: context.time, furtherMeters: furtherMeters)[
              ...]
          state.fetch += 1
        }
        let taken = state.rest.prefix(count - events.count)
        events += taken
        state.rest = state.rest.dropFirst(taken.count)
      }
      return events
    }
  }
}
