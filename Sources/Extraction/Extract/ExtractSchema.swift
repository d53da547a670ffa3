import Hummingbird
import TollbookHTTP

extension HTTPService {
  /// `GET /extract/schema`: what the answers of `POST /extract` look like, as JSON Schema.
  func addExtractSchema(to router: Router<TollbookContext>) {
    router.route(
      "/extract/schema",
      get: { _, _ in
        Response(
          status: .ok, headers: [.contentType: "application/schema+json"],
          body: .init(byteBuffer: ByteBuffer(bytes: PackageResources.ExtractAnswer_schema_json)))
      })
  }
}
