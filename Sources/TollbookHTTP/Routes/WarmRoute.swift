package import Hummingbird
import JSONText
import TollbookGateway

/// What one system takes as a list of what is to be fresh in the cache.
package struct Warming: Sendable {
  /// The members of such a list.
  package var names: [String]
  /// Takes on the job that buys what of it is not fresh.
  package var order: Order

  package typealias Order =
    @Sendable (JSONFields, Request, TollbookContext, HTTPService) async throws -> Response

  package init(_ names: [String], _ order: @escaping Order) {
    self.names = names
    self.order = order
  }
}

extension HTTPService {
  /// `POST /cache/warm`: takes on a job that buys what of a list is not fresh in the cache, for as long as it takes. Whose
  /// list it is its members say.
  func addWarm(to router: Router<TollbookContext>) {
    let ways = systems.compactMap(\.warming)
    guard let first = ways.first else { return }
    router.route(
      "/cache/warm",
      post: { request, context in
        let bytes = try await collectedBody(of: request, limit: context.maxUploadSize)
        let given = Self.memberNames(bytes)
        // The one that knows most of them; of equals the first.
        let way = ways.reduce(first) { best, way in
          let known = { (way: Warming) in given.count { way.names.contains($0) } }
          return known(way) > known(best) ? way : best
        }
        return try await way.order(
          JSONFields(bytes, names: way.names), request, context, self)
      })
  }

  /// The names of a list's members; none if it is no object.
  private static func memberNames(_ bytes: [UInt8]) -> Set<String> {
    let root = try? JSONDocument(
      bytes, maximumDepth: 64, maximumValues: JSONFields.mostValues
    ).root
    return Set(root?.members.map { $0.map(\.name) } ?? [])
  }
}
