import Extraction
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `GET /seller/photos/{digest}`: the picture, to its account alone; `DELETE`: deletes it, and its digest stays.
  func addPhotos(to router: Router<TollbookContext>, _ desk: SellerDesk) {
    router.route(
      "/seller/photos/{digest}", query: QueryNames(["account"]), deleteScope: .fetch,
      get: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        return try await photo(Self.name(context, "digest"), of: account, desk)
      },
      delete: { request, context in
        let account = try account(QueryParameters(request)["account"], context)
        let digest = Self.name(context, "digest")
        _ = try known(digest, of: account, desk)
        let record = try await Problem.ofPhotos {
          try await desk.photos.delete(digest, of: account)
        }
        return .object(position: log.head) { json in
          json.field("digest", digest)
          json.field("deleted_at", record?.deleted)
        }
      })
  }

  /// A picture, as it is kept.
  func photo(_ digest: String, of account: String, _ desk: SellerDesk) async throws -> Response {
    let record = try known(digest, of: account, desk)
    guard
      let bytes = try await Problem.ofPhotos({
        try await desk.photos.bytes(record, of: account)
      })
    else {
      throw Problem(.gone, "the picture was deleted, or its time was over", field: "digest")
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: record.kind.mediaType, .contentDisposition: "inline",
        .cacheControl: "private, max-age=3600",
      ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private func known(
    _ digest: String, of account: String, _ desk: SellerDesk
  ) throws -> PhotoRecord {
    guard let record = try desk.photos.record(digest, of: account) else {
      throw Problem(
        .notFound, "there is no photo “\(digest.inOneLine(atMost: 64))”", field: "digest")
    }
    return record
  }
}

extension Problem {
  /// Does something with photos; what goes wrong is told as a problem.
  static func ofPhotos<Value>(_ body: () async throws -> Value) async throws -> Value {
    do { return try await body() } catch let fault as PhotoStore.Fault {
      throw Problem(.storageFailed, "photos: \(fault)").retrying(after: 5)
    } catch let refusal as AccountRefusal {
      throw Problem(.storageFailed, refusal.description)
    } catch let problem as PurchaseProblem { throw Problem(problem) }
  }
}
