import Hummingbird
import Testing

@testable import TollbookHTTP

/// What an administrator does with the key of the settings, `root`.
extension Caller {
  static let root: HTTPFields = [.accessKey: "root"]

  func admin(
    _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil
  ) async throws -> Answer {
    try await send(method, path, Self.root, body: body)
  }

  /// Opens an account.
  func open(_ id: String, zone: String = "UTC") async throws {
    let answer = try await admin(
      .post, "/admin/accounts", "{\"id\":\"\(id)\",\"time_zone\":\"\(zone)\"}")
    #expect(answer.status == 201)
  }

  /// Issues a key.
  ///
  /// - Parameter more: further members of the body, each beginning with a comma.
  func issue(
    _ account: String, _ scopes: [String] = ["read", "fetch"], _ more: String = ""
  ) async throws -> (id: String, key: String) {
    let list = scopes.map { "\"\($0)\"" }.joined(separator: ",")
    let answer = try await admin(
      .post, "/admin/access-keys", "{\"account\":\"\(account)\",\"scopes\":[\(list)]\(more)}")
    #expect(answer.status == 201)
    return (try #require(answer.string("id")), try #require(answer.string("key")))
  }

  func get(_ path: String, key: String) async throws -> Answer {
    try await get(path, [.authorization: "Bearer \(key)"])
  }

  /// Makes a budget in tokens.
  ///
  /// - Parameter more: further members of the body, each beginning with a comma.
  @discardableResult
  func budget(
    _ name: String, limit: Int, scope: String = "{}", window: String = "\"day\"",
    _ more: String = ""
  ) async throws -> Answer {
    try await admin(
      .post, "/admin/budgets",
      "{\"name\":\"\(name)\",\"scope\":\(scope),\"unit\":\"tokens\",\"limit\":\(limit),"
        + "\"window\":\(window)\(more)}")
  }
}
