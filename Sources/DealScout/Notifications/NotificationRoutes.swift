import Hummingbird
import TollbookGateway
import TollbookHTTP

extension HTTPService {
  /// What accounts are told of, and where: `/notifications/channels`, `/notifications/rules` and
  /// `/notifications/deliveries`.
  func addNotifications(_ scout: Scout, to router: Router<TollbookContext>) {
    addChannels(scout.notices, to: router)
    addRules(scout, to: router)
    addDeliveries(scout.notices, to: router)
  }
}

extension Problem {
  /// Does something, and tells what is wrong with a channel or a rule as a problem.
  static func ofNotices<Answer>(
    _ body: () async throws -> Answer
  ) async throws -> Answer {
    do { return try await body() } catch let problem as NotificationProblem {
      throw Problem(.invalidField, problem.description, field: problem.field)
    } catch let refusal as AccountRefusal {
      throw Problem(refusal)
    }
  }
}
