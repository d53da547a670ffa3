import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// A job of photos as it stands, with what has come of it.
struct Snap: Sendable {
  let number: Position
  let account: String
  let state: Job.State
  let queued: Timestamp
  let ended: Timestamp?
  /// What it does now, or how it ended.
  let detail: String
  /// Nil: it is not kept any more.
  let subject: SnapSubject?
  /// What is kept of its end: `result`, or `error`.
  private let kept: JSONValue?

  init(_ number: Position, _ job: Job, of account: String, in gateway: Gateway) throws {
    self.number = number
    self.account = account
    state = job.state
    queued = job.queued
    ended = job.ended
    detail = job.detail.isEmpty ? job.progress.step : job.detail
    let content = try gateway.keptContent(SnapOrder.result(number, of: account))
    kept = content.flatMap { try? JSONDocument($0, maximumDepth: 8, maximumValues: 2_000).root }
    if let subject = kept?["subject"].flatMap({ SnapSubject($0) }) {
      self.subject = subject
    } else if job.state.isOpen, let request = try gateway.request(of: number) {
      subject = try SnapOrder(request, of: account)?.subject(in: gateway)
    } else {
      subject = nil
    }
  }

  /// What was found; nil: nothing, or not yet.
  var finding: SnapFinding? { kept?["result"]?["finding"].flatMap { try? SnapFinding($0) } }

  /// Why nothing was found; nil: something was, or it is not over.
  var fault: String? { kept?["error"]?["detail"]?.string }

  /// A job that is over and came to nothing has failed, also where the runner only knows that it is done.
  private var word: String {
    state == .done && kept?["error"] != nil ? Job.State.failed.rawValue : state.rawValue
  }

  /// - Parameter photos: what is known of them; nil: their digests are told.
  func writeMembers(photos: [PhotoRecord]?, to json: inout JSONWriter) {
    json.field("id", "\(number)")
    json.field("account", account)
    json.field("state", word)
    json.field("detail", detail.isEmpty ? nil : detail)
    json.field("queued_at", queued.description)
    json.field("ended_at", ended?.description)
    json.field("marketplace", subject?.marketplace.id)
    json.field("note", subject?.note)
    if let photos {
      json.array("photos", photos) { json, photo in photo.write(to: &json) }
    } else {
      json.array("photos", subject?.photos ?? [])
    }
    for name in ["result", "error"] {
      if let value = kept?[name] {
        json.rawField(name, value.bytes)
      } else {
        json.nullField(name)
      }
    }
  }
}

extension Response {
  /// - Parameter price: that is suggested, or why none is; nil: nothing was found that could have one.
  static func snap(
    _ snap: Snap, _ desk: SellerDesk, price: SuggestedPrice?, position: Position
  ) throws(LogError) -> Response {
    var photos: [PhotoRecord] = []
    for digest in snap.subject?.photos ?? [] {
      if let record = try desk.photos.record(digest, of: snap.account) { photos.append(record) }
    }
    return .object(position: position, capacity: 4_096) { json in
      snap.writeMembers(photos: photos, to: &json)
      if let price {
        json.object("suggested_price") { json in price.writeMembers(to: &json) }
      } else {
        json.nullField("suggested_price")
      }
    }
  }
}
