import Synchronization
import TollbookEvents

/// How the buying of one resource ended, for those who wait for it.
enum FlightOutcome: Sendable {
  /// It was bought, and is in the cache since that position.
  case written(tokens: Int64, position: Position)
  /// It was in the cache already, fresh enough for whoever began the flight.
  case found
  case failed(ProductProblem)
  /// It was not bought, by rule.
  case refused(ProductProblem)
}

/// One resource on its way.
final class Flight: Sendable {
  let resource: ResourceKey
  let contentSet: UInt64
  let outcome = Promise<FlightOutcome>()

  init(_ resource: ResourceKey, contentSet: UInt64) {
    self.resource = resource
    self.contentSet = contentSet
  }
}

/// Who is fetching what, so that nothing is paid for twice: at most one flight per resource and content set, and a
/// richer one serves those who want less.
final class InFlightCalls: Sendable {
  private let flights = Mutex<[ResourceKey: [Flight]]>([:])

  /// A place in line for one resource.
  enum Claim {
    /// Nobody was at it: the caller must end the flight, whatever happens.
    case own(Flight)
    case join(Flight)
  }

  func claim(_ resource: ResourceKey, contentSet: UInt64) -> Claim {
    flights.withLock { flights in
      if let flight = flights[resource]?.first(where: {
        $0.contentSet & contentSet == contentSet
      }) {
        return .join(flight)
      }
      let flight = Flight(resource, contentSet: contentSet)
      flights[resource, default: []].append(flight)
      return .own(flight)
    }
  }

  /// Tells those who wait how it ends before it does. The place in line stays taken, so that nobody buys it again.
  func tell(_ flight: Flight, _ outcome: FlightOutcome) { flight.outcome.fulfil(outcome) }

  /// Ends a flight. Whoever asks after this finds what it brought in the cache.
  func end(_ flight: Flight, _ outcome: FlightOutcome) {
    flights.withLock { flights in
      flights[flight.resource]?.removeAll { $0 === flight }
      if flights[flight.resource]?.isEmpty == true { flights[flight.resource] = nil }
    }
    flight.outcome.fulfil(outcome)
  }

  var count: Int { flights.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}
