import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `POST /cache/purge`, with one of `key`, `prefix`, `label` and `"all": true`, further `hard` and `note`: tells what the
  /// entries had cost, and with `"confirm": true` purges them.
  func addPurge(to router: Router<TollbookContext>) {
    router.route(
      "/cache/purge", scope: .admin,
      post: { request, context in
        try await purge(
          JSONFields(
            of: request, limit: context.maxUploadSize,
            names: ["key", "prefix", "label", "all", "hard", "note", "dry_run", "confirm"]),
          by: context.principal)
      })
  }

  private func purge(_ fields: JSONFields, by principal: Principal) async throws -> Response {
    let order = PurgeOrder(
      scope: try scope(fields), isHard: try fields.flag("hard") ?? false,
      note: try Self.note(fields), actor: principal.actor, sparing: systems.ownKinds)
    let isDryRun = try fields.flag("dry_run") ?? false
    let isConfirmed = try fields.flag("confirm") ?? false
    if isDryRun && isConfirmed {
      throw Problem(
        .invalidField, "dry_run changes nothing and confirm purges; send one of them",
        field: "confirm")
    }
    let cost =
      isConfirmed
      ? try await order.carryOut(on: log, labels: systems.labels)
      : try await order.cost(in: log, labels: systems.labels)
    return .object(position: log.head) { json in
      json.field("purged", isConfirmed)
      json.field("hard", order.isHard)
      json.field("entries", cost.entries)
      json.array("costs", cost.amounts) { json, amount in amount.write(to: &json) }
      json.field("bytes", cost.bytes)
      json.field(
        "detail",
        isConfirmed
          ? "\(order.isHard ? "removed" : "stale from now on"); costs are what the entries had cost"
          : "nothing is changed; costs are what the entries had cost, and \"confirm\": true purges"
            + " them")
    }
  }

  private func scope(_ fields: JSONFields) throws(Problem) -> PurgeOrder.Scope {
    let key = try fields.string("key")
    let prefix = try fields.string("prefix")
    let label = try fields.string("label")
    let isAll = try fields.flag("all") ?? false
    guard [key != nil, prefix != nil, label != nil, isAll].count(where: \.self) == 1 else {
      throw Problem(
        .missingField, "name what to purge, by one of key, prefix, label and \"all\": true",
        field: "key")
    }
    if let label {
      if let fault = systems.fault(ofLabel: label) {
        throw Problem(.invalidField, fault, field: "label")
      }
      return .label(label)
    }
    for (name, text) in [("key", key), ("prefix", prefix)] where text?.isEmpty == true {
      throw Problem(
        .invalidField, "\(name) is empty; to purge everything send \"all\": true", field: name)
    }
    return key.map { .key($0) } ?? prefix.map { .prefix($0) } ?? .all
  }

  private static func note(_ fields: JSONFields) throws(Problem) -> String {
    let note = try fields.string("note") ?? ""
    guard note.utf8.count <= PurgeOrder.longestNote else {
      throw Problem(
        .invalidField,
        "note has \(note.utf8.count) bytes; \(PurgeOrder.longestNote) are kept with every entry",
        field: "note")
    }
    return note
  }
}
