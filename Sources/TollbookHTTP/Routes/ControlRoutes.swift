import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `POST /resolve`, for the command line: `{"fetch","attempt","unit","settled","note"}` closes a doubt by hand and answers
  /// with the event.
  func addControl(to router: Router<TollbookContext>) {
    router.route(
      "/resolve",
      post: { request, context in
        try await resolve(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["fetch", "attempt", "unit", "settled", "note"]))
      })
  }

  private func resolve(_ fields: JSONFields) async throws -> Response {
    let fetch = try JSONFields.require(
      fields.integer("fetch", in: 1 ... .max), "fetch", "the position of the FetchStarted")
    let attempt = try fields.integer("attempt", in: 1...Int64(UInt32.max)) ?? 1
    let settled = try JSONFields.require(
      fields.integer("settled", in: 0 ... .max), "settled", "how much was spent")
    let note = try JSONFields.require(fields.string("note"), "note", "why it is settled so")
    guard !note.allSatisfy(\.isWhitespace) else {
      throw Problem(.invalidField, "note is empty; it says why it is settled so", field: "note")
    }
    let event: ChargeResolved
    do {
      event = try await gateway.resolve(
        fetch: Position(fetch), attempt: UInt32(attempt), unit: fields.string("unit"),
        settled: settled, note: note, actor: "operator")
    } catch let refusal as ResolveCommand.Refusal {
      throw Problem(refusal)
    }
    return .object(position: log.head) { json in
      MeterKey(event.meter).writeMembers(to: &json)
      json.array("doubts", event.doubts) { json, doubt in
        json.object { json in
          json.field("fetch", doubt.fetch)
          json.field("attempt", doubt.attempt)
          let unit = event.meter.unit
          json.amount("amount", doubt.tokens, unit)
          json.amount("settled", doubt.settled, unit)
          json.amount("released", doubt.released, unit)
        }
      }
    }
  }
}

extension Problem {
  fileprivate init(_ refusal: ResolveCommand.Refusal) {
    switch refusal {
    case .noSuchDoubt: self.init(.notFound, "\(refusal)", field: "fetch")
    case .stillUnderWay: self.init(.stillUnderWay, "\(refusal)", field: "fetch")
    case .whichUnit: self.init(.invalidField, "\(refusal)", field: "unit")
    case .moreThanHeld: self.init(.invalidField, "\(refusal)", field: "settled")
    }
  }
}
