import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /ebay/exchange`, `POST /ebay/refresh`, `GET` and `DELETE /ebay/account`.
  func addConsent(_ desk: ConsentDesk, to router: Router<TollbookContext>) {
    router.route(
      "/ebay/exchange",
      post: { request, context in
        let (code, state, account) = try await carried(request, context)
        var principal = context.principal
        principal.account = account
        let done = try await desk.finish(
          code, state, .account(account), by: principal, gateway)
        return .object(position: log.head) { json in
          done.user.write(to: &json, of: done.account, at: log.time.now())
        }
      })
    router.route(
      "/ebay/refresh", mayBeEmpty: true,
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: 4_096, names: ["if_due", "account"], mostValues: 16,
          mayBeEmpty: true)
        var principal = context.principal
        principal.account = try account(fields.string("account"), context)
        let (user, isRenewed) = try await desk.renew(
          of: principal.account, ifDue: fields.flag("if_due") ?? false, by: principal, gateway)
        return .object(position: log.head) { json in
          user.write(to: &json, of: principal.account, at: log.time.now())
          json.field("renewed", isRenewed)
        }
      })
    let book = UserBook(gateway: gateway)
    router.route(
      "/ebay/account", query: QueryNames(["account"]), deleteScope: .fetch,
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let user = try book.user(of: account)
        return .object(position: log.head) { json in
          guard let user else {
            json.field("account", account)
            json.field("connected", false)
            json.field("state", "not_connected")
            return
          }
          user.write(to: &json, of: account, at: log.time.now())
        }
      },
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        guard try await book.remove(of: account) else {
          throw Problem(.notFound, "nobody has consented for the account \(account)")
        }
        return .object(position: log.head) { json in
          json.field("account", account)
          json.field("connected", false)
          json.field("removed", true)
        }
      })
  }

  /// What somebody carries by hand from the address that eBay has sent the browser to.
  private func carried(
    _ request: Request, _ context: TollbookContext
  ) async throws -> (code: EbaySecret, state: EbayConsent.State, account: String) {
    let fields = try await JSONFields(
      of: request, limit: 64 << 10, names: ["code", "state", "account"], mostValues: 16)
    let account = try account(fields.string("account"), context)
    var items: [(name: String, value: String)] = []
    if let state = try fields.string("state") { items.append(("state", state)) }
    if let code = try fields.string("code") {
      // Taken from an address as it stands there. A code that is decoded has a sign that no address has.
      let isCoded = code.contains("%") && !code.contains("#")
      items.append(("code", isCoded ? EbayText.percentDecoded(code) ?? code : code))
    }
    do throws(EbayRequestFault) {
      guard case .granted(let code, let state) = try EbayConsentAnswer(items) else {
        throw EbayRequestFault(.missing, of: "code")
      }
      return (code, state, account)
    } catch { throw Problem(error) }
  }

  /// `GET /ebay/authorize`, and `GET /ebay/callback`, where eBay sends the browser back to.
  func addConsentPages(_ desk: ConsentDesk, to router: PageRouter) {
    router.departure("/ebay/authorize", query: QueryNames(["account"])) {
      request, context, browser in
      var principal = context.principal
      principal.account = try account(QueryParameters(request)["account"], context.request)
      return try desk.begin(by: principal, browser: browser, gateway)
    }
    router.landing("/ebay/callback") { request, _, browser in
      let items = request.uri.queryParameters.map { name, value in
        (name: String(name), value: String(value))
      }
      let answer: EbayConsentAnswer
      do throws(EbayRequestFault) { answer = try EbayConsentAnswer(items) } catch {
        throw Problem(error)
      }
      switch answer {
      case .granted(let code, let state):
        let done = try await desk.finish(code, state, .browser(browser), gateway)
        return ConsentPage.connected(done.account, done.user)
      case .refused(let error, let state):
        if let state {
          _ = try? desk.open.take(state, .browser(browser), at: log.time.monotonicMilliseconds)
        }
        return ConsentPage.refused(error)
      }
    }
  }
}

extension EbayUser {
  /// What may be told of it: no token.
  func write(to json: inout JSONWriter, of account: String, at now: Timestamp) {
    let tokens = tokens(at: now)
    json.field("account", account)
    json.field("connected", tokens != nil)
    json.field("state", tokens == nil ? "consent_revoked" : "connected")
    json.array("scopes", scopes) { json, scope in json.string(scope) }
    json.field("connected_at", connected)
    json.field("access_until", tokens?.accessEnds)
    json.field("consent_until", tokens?.refreshEnds)
  }
}
