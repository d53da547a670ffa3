package import TollbookGateway

extension Problem {
  package init(_ refusal: AccountRefusal) {
    let kind: Kind =
      switch refusal.kind {
      case .notFound: .notFound
      case .conflict: .conflict
      case .invalid: .invalidField
      }
    self.init(kind, refusal.description, field: refusal.field)
  }
}

extension HTTPService {
  /// Does something, and tells a refusal as a problem.
  package func refusing<Answer: Sendable>(
    _ body: () async throws -> Answer
  ) async throws -> Answer {
    do { return try await body() } catch let refusal as AccountRefusal { throw Problem(refusal) }
  }
}
