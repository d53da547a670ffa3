import Crypto
import Foundation
import HTTPTypes
import Synchronization
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// Consents that were begun, and that eBay has not sent back yet. In memory alone: after a start they are begun anew.
///
/// Of a state and of a browser only the SHA-256 is kept.
final class OpenConsents: Sendable {
  /// In milliseconds.
  static let lifetime = PageRouter.journey
  /// Of all accounts together; beyond, none is begun.
  static let most = 100
  /// Of one account; beyond, its first one is given up.
  static let mostOfAccount = 10
  /// 256 bits, which nobody guesses.
  private static let stateBytes = 32

  /// What proves that the one who shows a state has begun it.
  enum Proof: Sendable {
    /// The browser that eBay has sent back; nil: it was not sent from here.
    case browser(String?)
    /// The account whose access key is shown.
    case account(String)
  }

  private struct Begun {
    let principal: Principal
    let browser: [UInt8]
    /// By the monotonic clock, in milliseconds.
    let at: Int64
    /// 1, 2, 3 …
    let number: UInt64
  }

  private struct State {
    var begun: [[UInt8]: Begun] = [:]
    var number: UInt64 = 0
  }

  private let random: @Sendable (Int) -> [UInt8]
  private let state = Mutex(State())

  /// - Parameter random: makes bytes that nobody can guess, as many as it is asked for.
  init(random: @escaping @Sendable (Int) -> [UInt8]) { self.random = random }

  var count: Int { state.withLock { $0.begun.count } }

  /// Begins one.
  ///
  /// - Parameters:
  ///   - principal: who pays for the tokens, and whose account they are for.
  ///   - browser: what the browser is known by that eBay will send back.
  ///   - now: by the monotonic clock, in milliseconds.
  func begin(
    by principal: Principal, browser: String, at now: Int64
  ) throws(Problem) -> EbayConsent.State {
    let text = random(Self.stateBytes).hexadecimal
    guard let made = try? EbayConsent.State(text) else {
      throw Problem(.internalError, "no state could be made")
    }
    let wait: Int64? = state.withLock { state in
      state.begun = state.begun.filter { Self.counts($0.value, at: now) }
      let own = state.begun.filter { $0.value.principal.account == principal.account }
      let isCrowded = own.count >= Self.mostOfAccount
      if isCrowded, let first = own.min(by: { $0.value.number < $1.value.number }) {
        state.begun[first.key] = nil
      }
      guard state.begun.count < Self.most else {
        let first = state.begun.values.map(\.at).min() ?? now
        return max(1, first + Self.lifetime - now)
      }
      state.number += 1
      state.begun[Self.digest(text)] = Begun(
        principal: principal, browser: Self.digest(browser), at: now, number: state.number)
      return nil
    }
    if let wait {
      throw Problem(
        .tooManyRequests, "\(Self.most) consents are open, as many as there may be; try again later"
      ).retrying(after: Int((wait + 999) / 1_000))
    }
    return made
  }

  /// Ends one. A state is taken once; one that is shown with the wrong proof stays.
  ///
  /// - Parameter now: by the monotonic clock, in milliseconds.
  /// - Returns: who began it.
  func take(
    _ shown: EbayConsent.State, _ proof: Proof, at now: Int64
  ) throws(Problem) -> Principal {
    let digest = Self.digest(shown.text)
    let found: Result<Principal, Problem> = state.withLock { state in
      guard let begun = state.begun[digest], Self.counts(begun, at: now) else {
        return .failure(Self.unknown)
      }
      switch proof {
      case .browser(let browser):
        guard browser.map({ Self.digest($0) }) == begun.browser else {
          return .failure(Self.otherBrowser)
        }
      case .account(let account):
        // Others are not told that there is one.
        guard account == begun.principal.account else { return .failure(Self.unknown) }
      }
      state.begun[digest] = nil
      return .success(begun.principal)
    }
    return try found.get()
  }

  private static func counts(_ begun: Begun, at now: Int64) -> Bool {
    now >= begun.at && now - begun.at < lifetime
  }

  private static func digest(_ text: String) -> [UInt8] {
    Array(SHA256.hash(data: Data(text.utf8)))
  }

  private static var unknown: Problem {
    var problem = Problem(
      .consentState,
      "the state is of no consent that was begun here in the last \(lifetime / 60_000) minutes, or"
        + " it was used already; begin anew at /ebay/authorize", field: "state")
    problem.reason = "state_unknown"
    return problem
  }

  private static var otherBrowser: Problem {
    var problem = Problem(
      .consentState,
      "the consent was begun in another browser, or this one keeps no cookies; begin anew at"
        + " /ebay/authorize in this browser, or carry code and state to POST /ebay/exchange",
      field: "state")
    problem.reason = "other_browser"
    return problem
  }
}

extension Problem.Kind {
  static let consentState = Problem.Kind(
    "consent-state", .badRequest, "The consent was not begun here")
  static let consentNeeded = Problem.Kind(
    "consent-needed", .conflict, "A user of eBay has to consent")
}
