import Crypto
import Foundation
import Synchronization

/// Who has signed in with an access key. In memory alone: a restart signs everybody out.
///
/// Of the cookie only its SHA-256 is kept, and of the access key only what finds it again: whether the key still opens
/// anything is asked at each request.
final class PageSessions: Sendable {
  /// Sessions that are kept. Beyond, the one that began first goes.
  static let most = 1_000
  /// In milliseconds: twelve hours.
  static let lifetime: Int64 = 12 * 3_600_000

  private struct Session {
    var holder: Keyring.Holder
    var began: Int64
    var number: UInt64
  }

  private struct State {
    var sessions: [[UInt8]: Session] = [:]
    var opened: UInt64 = 0
  }

  private let state = Mutex(State())

  var count: Int { state.withLock { $0.sessions.count } }

  /// Begins a session.
  ///
  /// - Parameter now: by the monotonic clock, in milliseconds.
  /// - Returns: the value of its cookie, which is told once.
  func open(for holder: Keyring.Holder, at now: Int64) -> String {
    let cookie = PageCookie.randomValue()
    state.withLock { state in
      state.sessions = state.sessions.filter { Self.counts($0.value, at: now) }
      if state.sessions.count >= Self.most,
        let oldest = state.sessions.min(by: { $0.value.number < $1.value.number })
      {
        state.sessions[oldest.key] = nil
      }
      state.opened &+= 1
      state.sessions[Self.digest(cookie)] = Session(
        holder: holder, began: now, number: state.opened)
    }
    return cookie
  }

  /// Who has signed in with that cookie; nil: nobody, or too long ago.
  func holder(of cookie: String, at now: Int64) -> Keyring.Holder? {
    let session = state.withLock { $0.sessions[Self.digest(cookie)] }
    return session.flatMap { Self.counts($0, at: now) ? $0.holder : nil }
  }

  /// Ends a session.
  func close(_ cookie: String) {
    state.withLock { $0.sessions[Self.digest(cookie)] = nil }
  }

  private static func counts(_ session: Session, at now: Int64) -> Bool {
    now &- session.began < lifetime
  }

  private static func digest(_ cookie: String) -> [UInt8] {
    Array(SHA256.hash(data: Data(cookie.utf8)))
  }
}
