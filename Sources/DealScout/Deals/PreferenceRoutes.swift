import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `GET` and `PUT /buyer/preferences`: what is kept is all of what was sent last.
  func addPreferences(to router: Router<TollbookContext>) {
    let book = PreferenceBook(gateway: gateway)
    let answer: @Sendable (DealPreferences, String) -> Response = { preferences, account in
      .object(position: log.head) { json in
        json.field("account", account)
        json.object("preferences") { json in preferences.write(to: &json) }
      }
    }
    router.route(
      "/buyer/preferences", query: QueryNames(["account"]),
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        return answer(try book.preferences(of: account), account)
      },
      put: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let bytes = try await collectedBody(of: request, limit: DealPreferences.longestBody)
        let preferences = try DealPreferences(bytes)
        do throws(PurchaseProblem) { try await book.set(preferences, of: account) } catch {
          throw Problem(error)
        }
        return answer(preferences, account)
      })
  }
}
