import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// `POST /extract` with `Prefer: respond-async`: keeps the documents, takes a job on that has them read, and answers with
  /// the job. `GET /jobs/{id}` tells what became of each.
  func takeOnExtract(
    _ form: inout ExtractForm, _ reader: DocumentReader, _ headers: HTTPFields
  ) async throws -> Response {
    guard headers[.dryRun] == nil else {
      throw Problem(
        .invalidParameter,
        "Tollbook-Dry-Run does not go with Prefer: respond-async: a dry run takes no job on; leave"
          + " one of them out", field: "Tollbook-Dry-Run")
    }
    let payer = reader.principal
    guard payer.mayAsk(for: GeminiUpstream.answer) else {
      throw Problem(
        PurchaseProblem(.notAllowed, "the access key is not for \(GeminiUpstream.answer)"))
    }
    guard let kind = gateway.jobKind(ExtractOrder.job) else {
      throw Problem(.internalError, "no upstream has jobs of kind \(ExtractOrder.job)")
    }
    let order = ExtractOrder(reader, documents: form.files.count)
    let id: JobID
    do {
      try await gateway.keep(ExtractOrder.bytes(of: form.files), as: order.files)
      for index in 0..<order.documents {
        guard let file = form.takeFile() else { break }
        try await gateway.keep(file.content, as: order.document(index))
      }
      id = try await gateway.queueJob(
        kind, request: order.bytes, total: order.documents, by: payer)
    } catch {
      // Nobody will read them. What cannot be removed now goes when its time is over.
      try? await gateway.removeKept(order.prefix)
      throw (error as? PurchaseProblem).map { Problem($0) } ?? error
    }
    var response = try accepted(id, by: payer)
    response.headers[.preferenceApplied] = Preference.respondAsync
    return response
  }
}
