import JSONText
import TollbookEvents
import TollbookHTTP

/// A notice on its way to a channel. What has been told is kept as such, so that the same fact is not told again.
struct NotificationDelivery: Hashable, Sendable {
  /// The raw values are part of the HTTP API.
  enum State: String, Hashable, Sendable, CaseIterable {
    case waiting, sent
    case givenUp = "given_up"
  }

  /// Made of account, channel and fact: the same fact has the same id.
  let id: String
  var notice: NotificationNotice
  let queued: Timestamp
  var state = State.waiting
  /// Tries since it was queued, or sent again by somebody; the one that went well counts too.
  var attempts = 0
  /// When it is tried; nil: with all else of the hour.
  var next: Timestamp?
  /// Of HTTP, of the last try; 0: there was none, or no answer.
  var status = 0
  /// Of the last try, for a person.
  var detail = ""
  /// When it was sent or given up.
  var ended: Timestamp?

  var place: NotificationQueue.Place {
    NotificationQueue.Place(account: notice.fact.account, channel: notice.channel)
  }

  init(_ notice: NotificationNotice, id: String, queued: Timestamp) {
    self.id = id
    self.notice = notice
    self.queued = queued
    next = notice.timing == .hourly ? nil : queued
  }

  // MARK: As it is kept

  var bytes: [UInt8] {
    var json = JSONWriter(capacity: 512)
    json.object { json in
      json.field("queued_ms", queued.milliseconds)
      json.field("state", state.rawValue)
      json.field("channel", notice.channel)
      json.field("rule", notice.rule)
      json.field("timing", notice.timing.rawValue)
      json.field("attempts", attempts)
      json.fieldIfPresent("next_ms", next?.milliseconds)
      json.field("status", status)
      json.field("detail", detail)
      json.fieldIfPresent("ended_ms", ended?.milliseconds)
      json.object("fact") { json in notice.fact.writeKept(to: &json) }
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8], id: String, of account: String) {
    func instant(_ value: JSONValue?) -> Timestamp? {
      value?.int64.map { Timestamp(milliseconds: $0) }
    }
    guard let root = try? JSONDocument(bytes, maximumDepth: 4, maximumValues: 100).root,
      let fact = root["fact"].flatMap({ NotificationFact(kept: $0, of: account) }),
      let channel = root["channel"]?.string, let rule = root["rule"]?.string,
      let timing = root["timing"]?.string.flatMap({ NotificationRule.Timing(rawValue: $0) }),
      let state = root["state"]?.string.flatMap({ State(rawValue: $0) }),
      let queued = instant(root["queued_ms"])
    else { return nil }
    self.init(
      NotificationNotice(channel: channel, rule: rule, timing: timing, fact: fact), id: id,
      queued: queued)
    self.state = state
    attempts = root["attempts"]?.int ?? 0
    next = instant(root["next_ms"])
    status = root["status"]?.int ?? 0
    detail = root["detail"]?.string ?? ""
    ended = instant(root["ended_ms"])
  }

  // MARK: As it is shown

  func write(to json: inout JSONWriter) {
    json.field("id", id)
    json.field("channel", notice.channel)
    json.field("rule", notice.rule)
    json.field("delivery", notice.timing.rawValue)
    json.field("event", notice.fact.kind.rawValue)
    json.field("subject", notice.fact.subject)
    json.field("text", notice.fact.sentence)
    json.field("state", state.rawValue)
    json.field("queued_at", queued)
    json.field("attempts", attempts)
    json.field("next_at", state == .waiting ? next : nil)
    json.field("ended_at", ended)
    json.field("last_status", status == 0 ? nil : status)
    json.field("last_detail", detail.isEmpty ? nil : detail)
  }
}
