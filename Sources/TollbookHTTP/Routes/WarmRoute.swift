package import Hummingbird
import JSONText
import TollbookGateway

/// What one system takes as a list of what is to be fresh in the cache.
package struct Warming: Sendable {
  /// Its members that say what is to be fresh: one of them has to be there.
  package var lists: [String]
  /// All members of it.
  package var names: [String]
  /// Takes on the job that buys what of it is not fresh.
  package var order: Order

  package typealias Order =
    @Sendable (JSONFields, Request, TollbookContext, HTTPService) async throws -> Response

  package init(_ lists: [String], of names: [String], _ order: @escaping Order) {
    self.lists = lists
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
        try Self.checkLists(of: given, bytes, way, ways)
        return try await way.order(
          JSONFields(bytes, names: way.names), request, context, self)
      })
  }

  /// Refuses a body that holds no list at all, or those of two systems.
  private static func checkLists(
    of given: Set<String>, _ bytes: [UInt8], _ way: Warming, _ ways: [Warming]
  ) throws(Problem) {
    let lists = ways.flatMap(\.lists)
    guard !given.isDisjoint(with: lists) else {
      _ = try JSONFields(bytes, names: ways.flatMap(\.names))
      let hint = lists.count == 1 ? lists[0] : "one of \(lists.joined(separator: ", "))"
      throw Problem(
        .missingField, "\(hint) is missing: it says what is to be fresh", field: lists.first)
    }
    guard let other = lists.first(where: { given.contains($0) && !way.names.contains($0) }),
      let own = way.names.first(where: given.contains)
    else { return }
    throw Problem(
      .invalidField, "\(own) and \(other) stand side by side; send each in a request of its own",
      field: other)
  }

  /// The names of a list's members; none if it is no object.
  private static func memberNames(_ bytes: [UInt8]) -> Set<String> {
    let root = try? JSONDocument(
      bytes, maximumDepth: 64, maximumValues: JSONFields.mostValues
    ).root
    return Set(root?.members.map { $0.map(\.name) } ?? [])
  }
}
