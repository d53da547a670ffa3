import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// Has users of eBay's consent, and renews their tokens.
///
/// Each token is a call that its account pays for, on a meter of codes or one of refreshes. What is sent and what comes is
/// in no event: the call is passed through.
final class ConsentDesk: Sendable {
  /// What everybody may read: nothing here needs more of a user yet.
  static let scopes: [EbayScope] = [.application]

  private let settings: ConsentSettings
  let open: OpenConsents
  /// What is under way, by its account.
  private let renewals = Mutex<[String: Task<EbayUser, any Error>]>([:])

  /// - Parameter random: makes bytes that nobody can guess, as many as it is asked for.
  init(
    _ settings: ConsentSettings,
    random: @escaping @Sendable (Int) -> [UInt8] = { AccessKey.systemRandom($0) }
  ) {
    self.settings = settings
    open = OpenConsents(random: random)
  }

  /// Whether somebody can consent.
  var isSet: Bool { (try? settings.application()) != nil }

  // MARK: Consent

  /// Begins a consent.
  ///
  /// - Returns: the address of eBay's page.
  func begin(
    by principal: Principal, browser: String, _ gateway: Gateway
  ) throws(Problem) -> String {
    let application = try settings.application()
    guard principal.kinds.isEmpty else {
      throw Problem(
        .forbidden, "the access key is for some kinds of resources alone, and a consent is none")
    }
    let state = try open.begin(
      by: principal, browser: browser, at: gateway.log.time.monotonicMilliseconds)
    return EbayConsent(
      login: application.login, key: application.key, ruName: application.ruName,
      scopes: Self.scopes, state: state
    ).url
  }

  /// Ends a consent: has the tokens minted, and keeps them.
  ///
  /// - Parameters:
  ///   - code: as eBay's redirect has it, decoded.
  ///   - principal: who pays; nil: who began.
  /// - Returns: the account that it is for.
  func finish(
    _ code: EbaySecret, _ state: EbayConsent.State, _ proof: OpenConsents.Proof,
    by principal: Principal? = nil, _ gateway: Gateway
  ) async throws -> (account: String, user: EbayUser) {
    let application = try settings.application()
    let minting: EbayTokenRequest
    do throws(EbayRequestFault) {
      minting = try EbayTokenRequest.user(code: code, ruName: application.ruName)
    } catch { throw Problem(error) }
    let begun = try open.take(state, proof, at: gateway.log.time.monotonicMilliseconds)
    let payer = principal ?? begun
    let account = begun.account
    // The code is used up by this: a client that hangs up meanwhile finds the account connected all the same.
    let work = Task {
      let answer = try await self.mint(
        EbayUpstream.consent, minting, application, by: payer, gateway)
      guard let answer else { throw Self.rejectedCode }
      let now = gateway.log.time.now()
      guard let tokens = EbayUser.Tokens(answer, received: now) else {
        throw Problem(.upstreamUnavailable, "eBay has sent no refresh token; begin anew")
      }
      let user = EbayUser(
        application: application.key.clientId, scopes: Self.scopes, connected: now, tokens: tokens)
      try await UserBook(gateway: gateway).set(user, of: account)
      return user
    }
    return (account, try await work.value)
  }

  // MARK: Renewal

  /// Has the access token renewed. Who asks while that is under way waits for the same call.
  ///
  /// - Parameter ifDue: whether it is left as it is until five minutes before its end.
  /// - Returns: whether it was renewed.
  func renew(
    of account: String, ifDue: Bool, by principal: Principal, _ gateway: Gateway
  ) async throws -> (user: EbayUser, isRenewed: Bool) {
    let application = try settings.application()
    guard let user = try UserBook(gateway: gateway).user(of: account) else { throw Self.noConsent }
    let now = gateway.log.time.now()
    guard let tokens = user.tokens(at: now) else { throw Self.revoked }
    if ifDue, now < tokens.renewal { return (user, false) }
    guard user.application == application.key.clientId else { throw Self.otherApplication }
    let work = renewals.withLock { renewals in
      if let work = renewals[account] { return work }
      let work = Task {
        defer { self.renewals.withLock { $0[account] = nil } }
        return try await self.renewed(user, tokens, application, of: account, principal, gateway)
      }
      renewals[account] = work
      return work
    }
    return (try await work.value, true)
  }

  private func renewed(
    _ user: EbayUser, _ tokens: EbayUser.Tokens, _ application: ConsentSettings.Application,
    of account: String, _ principal: Principal, _ gateway: Gateway
  ) async throws -> EbayUser {
    let minting: EbayTokenRequest
    do throws(EbayRequestFault) {
      minting = try EbayTokenRequest.refresh(tokens.refresh)
    } catch { throw Problem(error) }
    let answer = try await mint(EbayUpstream.refresh, minting, application, by: principal, gateway)
    var after = user
    after.tokens = answer.flatMap {
      EbayUser.Tokens($0, received: gateway.log.time.now(), after: tokens)
    }
    do {
      try await UserBook(gateway: gateway).replace(user, by: after, of: account)
    } catch is UserBook.Changed {
      throw Problem(
        .conflict, "the consent was forgotten or given anew while its token was being renewed")
    }
    guard answer != nil else { throw Self.revoked }
    return after
  }

  // MARK: Calls

  /// - Returns: nil: eBay takes the code or the refresh token no more.
  private func mint(
    _ operation: String, _ minting: EbayTokenRequest, _ application: ConsentSettings.Application,
    by principal: Principal, _ gateway: Gateway
  ) async throws -> EbayTokenAnswer? {
    let request = PassedRequest(
      path: EbayTokenRequest.path,
      headers: [
        ("Authorization", application.key.authorization.text),
        ("Content-Type", EbayTokenRequest.contentType),
      ], body: Array(minting.form.text.utf8))
    var demand = ResourceDemand(operation, [])
    demand.principal = principal
    let raw: RawAnswer
    switch await gateway.pass(operation, request, for: demand).result {
    case .success(let answer): raw = answer
    case .failure(let problem): throw problem
    }
    let now = gateway.log.time.now()
    switch EbayAnswer.read(status: raw.status, body: raw.body, now: now) {
    case .ok(let body): return try EbayTokenAnswer(body)
    case .failed(let failure) where failure.reason == .grantRejected: return nil
    case .failed, .empty: throw Problem(.upstreamUnavailable, "eBay gave no token; begin anew")
    }
  }

  // MARK: Problems

  private static func needed(_ detail: String, _ reason: String) -> Problem {
    var problem = Problem(.consentNeeded, detail)
    problem.reason = reason
    return problem
  }

  private static let noConsent = needed(
    "nobody has consented for this account; begin at /ebay/authorize", "no_consent")
  private static let revoked = needed(
    "the consent counts no more at eBay: the user has withdrawn it, has changed the password or the"
      + " name, or its time is over; begin anew at /ebay/authorize", "consent_revoked")
  private static let otherApplication = needed(
    "the consent was given to another App ID than EBAY_APP_ID is now; begin anew at"
      + " /ebay/authorize", "other_application")
  private static let rejectedCode = needed(
    "the code counts no more at eBay: each can be used once, within five minutes; begin anew at"
      + " /ebay/authorize", "code_rejected")
}
