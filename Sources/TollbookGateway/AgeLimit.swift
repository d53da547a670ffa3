import TollbookEvents

/// How old an answer may be, and from when its age is counted. Ages are in milliseconds.
package enum AgeLimit: Hashable, Sendable {
  /// What the windows of its kind say.
  case windows
  /// No older than that since it was fetched, and within the windows.
  case fetched(Int64)
  /// No older than that since the date that the upstream gives its data, whatever the windows say.
  case upstream(Int64)
  /// Whatever is there is too old.
  case live
  /// Whatever is there will do, and nothing is bought.
  case neverBuy

  /// - Parameter maximumAge: since the fetch; nil: what the windows say.
  package init(maximumAge: Int64?) { self = maximumAge.map(AgeLimit.fetched) ?? .windows }

  /// As events tell it.
  var basis: AgeBasis {
    switch self {
    case .windows, .fetched: .fetch
    case .upstream: .upstream
    case .live: .live
    case .neverBuy: .neverBuy
    }
  }

  /// The oldest data that would do, as events tell it; nil: none is named.
  var seconds: UInt32? {
    switch self {
    case .fetched(let age), .upstream(let age): UInt32(clamping: age / 1_000)
    case .windows, .live, .neverBuy: nil
    }
  }
}
