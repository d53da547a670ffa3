import Hummingbird
import TollbookHTTP

extension HTTPService {
  /// `GET /api/v1/products/discover/schema` and `…/discover-with-scoring/schema`: what the answers of the two look like,
  /// as JSON Schema.
  func addDiscoverySchemas(to router: Router<TollbookContext>) {
    for (name, schema) in [
      ("discover", PackageResources.DiscoverAnswer_schema_json),
      ("discover-with-scoring", PackageResources.DiscoverWithScoringAnswer_schema_json),
    ] {
      router.route(
        RouterPath("/api/v1/products/\(name)/schema"),
        get: { _, _ in
          Response(
            status: .ok, headers: [.contentType: "application/schema+json"],
            body: .init(byteBuffer: ByteBuffer(bytes: schema)))
        })
    }
  }
}
