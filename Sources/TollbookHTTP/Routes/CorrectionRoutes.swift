import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `POST /admin/corrections {"position","units","unit"?,"reason"}` adds a difference to a charge that was found wrong, and
  /// answers with the event. `units` is a whole number with its sign, and of money decimal text.
  func addCorrections(to router: Router<TollbookContext>) {
    router.route(
      "/admin/corrections", scope: .admin,
      post: { request, context in
        try await correct(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["position", "units", "unit", "reason"]),
          by: context.principal)
      })
  }

  private func correct(
    _ fields: JSONFields, by principal: Principal
  ) async throws -> Response {
    let position = try JSONFields.require(
      fields.integer("position", in: 1 ... .max), "position", "that of the TokensCharged")
    let units = try JSONFields.require(
      fields.difference("units"), "units", "by how much the charge is to be changed")
    let reason = try JSONFields.require(fields.string("reason"), "reason", "why")
    let unit = try fields.string("unit")
    let written = try await refusing {
      try await CorrectCharge(
        Position(position), by: units, unit: unit, reason: reason, now: log.time.now(),
        actor: principal.actor
      ).run(on: log)
    }
    guard let event = try Self.event(at: written, in: log) else {
      throw Problem(.notFound, "the log ends at position \(log.head)", field: "position")
    }
    var json = JSONWriter()
    event.write(to: &json, systems)
    return Response(json: json.bytes, position: written).created(at: "/events/\(written)")
  }
}

extension JSONFields {
  /// An amount with its sign: a whole number, or a text whose form depends on the unit.
  fileprivate func difference(_ name: String) throws(Problem) -> CorrectCharge.Difference? {
    guard let value = value(name) else { return nil }
    if let text = value.string { return .text(text) }
    return try integer(name, in: .min ... .max).map { .count($0) }
  }
}
