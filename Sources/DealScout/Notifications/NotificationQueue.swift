import TollbookEvents
import TollbookGateway
import TollbookUpstreams

/// The notices that wait, channel by channel: a pure state machine.
///
/// 1. A notice is here once. On a channel one message is under way at a time, and on all together ``messagesAtOnce``.
/// 2. Those that are told at once go each in a message of its own, those of an hour together in one.
/// 3. After a failure the whole channel rests for a while, and the notice waits longer with each try. After the last one
///    it is given up, and is sent again only when somebody asks for it.
struct NotificationQueue: Sendable {
  /// Notices of one account that wait.
  static let mostWaiting = 1_000
  /// Messages under way at once.
  static let messagesAtOnce = 4
  /// How long a listing's words stay in a notice that waits, in milliseconds: a day.
  static let longestWords: Int64 = 86_400_000

  struct Place: Hashable, Sendable {
    let account: String
    let channel: String
  }

  /// What goes in one message.
  struct Batch: Hashable, Sendable {
    let place: Place
    /// One at least.
    let deliveries: [NotificationDelivery]
  }

  /// What came of sending a message.
  enum Ending: Hashable, Sendable {
    case taken(status: Int)
    case failed(MessageReceipt)
    /// It will never be taken.
    case refused(String)
  }

  /// Longer nothing waits for its next try, in milliseconds: beyond it the clock was set back.
  private static let longestPause = (Gateway.deliveryPauses.last ?? 0) + 3_600_000

  private var waiting: [Place: [NotificationDelivery]] = [:]
  private var busy: Set<Place> = []
  private var rests: [Place: Timestamp] = [:]

  var isEmpty: Bool { waiting.isEmpty }

  func count(of account: String) -> Int {
    waiting.reduce(0) { $0 + ($1.key.account == account ? $1.value.count : 0) }
  }

  /// Takes a notice.
  ///
  /// - Returns: false: it is here already, or as many of its account wait as may.
  mutating func add(_ delivery: NotificationDelivery) -> Bool {
    let place = delivery.place
    guard delivery.state == .waiting, count(of: place.account) < Self.mostWaiting,
      waiting[place]?.contains(where: { $0.id == delivery.id }) != true
    else { return false }
    waiting[place, default: []].append(delivery)
    return true
  }

  /// Lets a channel that rests try again, since somebody asks for it.
  mutating func wake(_ place: Place) { rests[place] = nil }

  /// Lets go what waits for the hour.
  mutating func release(at now: Timestamp) {
    for place in Array(waiting.keys) {
      guard var own = waiting[place] else { continue }
      for index in own.indices where own[index].next == nil { own[index].next = now }
      waiting[place] = own
    }
  }

  /// The next message that is due on a channel that is not at work; it is at work from here on. Nil also where as many
  /// are as may be.
  mutating func take(at now: Timestamp) -> Batch? {
    guard busy.count < Self.messagesAtOnce else { return nil }
    func isDue(_ next: Timestamp?) -> Bool {
      guard let next else { return false }
      return next <= now || next > now.advanced(byMilliseconds: Self.longestPause)
    }
    var found: (place: Place, first: NotificationDelivery)?
    for (place, own) in waiting where !busy.contains(place) {
      if let rest = rests[place], !isDue(rest) { continue }
      guard
        let first = own.filter({ isDue($0.next) }).min(by: { Self.order($0) < Self.order($1) })
      else { continue }
      if let found, Self.order(found.first) <= Self.order(first) { continue }
      found = (place, first)
    }
    guard let (place, first) = found else { return nil }
    busy.insert(place)
    guard first.notice.timing == .hourly else { return Batch(place: place, deliveries: [first]) }
    let all = (waiting[place] ?? []).filter { $0.notice.timing == .hourly && isDue($0.next) }
    return Batch(place: place, deliveries: all)
  }

  private static func order(_ delivery: NotificationDelivery) -> (Int64, String) {
    (delivery.next?.milliseconds ?? .max, delivery.id)
  }

  /// Ends a try.
  ///
  /// - Returns: its notices as they are now.
  mutating func end(
    _ batch: Batch, _ ending: Ending, at now: Timestamp
  ) -> [NotificationDelivery] {
    busy.remove(batch.place)
    rests[batch.place] = nil
    var ended: [NotificationDelivery] = []
    for old in batch.deliveries {
      // It may have been given up with its channel meanwhile.
      guard let index = waiting[batch.place]?.firstIndex(where: { $0.id == old.id }),
        var delivery = waiting[batch.place]?.remove(at: index)
      else { continue }
      delivery.attempts += 1
      switch ending {
      case .taken(let status):
        delivery.status = status
        delivery.detail = ""
        delivery.close(.sent, at: now)
      case .refused(let detail):
        delivery.status = 0
        delivery.detail = detail
        delivery.close(.givenUp, at: now)
      case .failed(let receipt):
        delivery.status = receipt.status
        delivery.detail = receipt.detail
        if let next = Gateway.nextTry(after: delivery.attempts - 1, receipt, at: now) {
          delivery.next = next
          if delivery.isOld(at: now) { delivery.forgetListing() }
          waiting[batch.place]?.append(delivery)
        } else {
          delivery.close(.givenUp, at: now)
        }
        rests[batch.place] = Gateway.nextTry(after: 0, receipt, at: now)
      }
      ended.append(delivery)
    }
    if waiting[batch.place]?.isEmpty == true { waiting[batch.place] = nil }
    return ended
  }

  /// Ends a try of which nobody knows how it went: it is due as before, as the same message.
  mutating func giveBack(_ batch: Batch) { busy.remove(batch.place) }

  /// Has those forget what their listings said whose time for that is over.
  ///
  /// - Returns: as they are now.
  mutating func forgetListings(at now: Timestamp) -> [NotificationDelivery] {
    var changed: [NotificationDelivery] = []
    for place in Array(waiting.keys) {
      guard var own = waiting[place] else { continue }
      for index in own.indices where own[index].isOld(at: now) {
        let before = own[index]
        own[index].forgetListing()
        if own[index] != before { changed.append(own[index]) }
      }
      waiting[place] = own
    }
    return changed
  }
}

extension NotificationDelivery {
  fileprivate mutating func close(_ state: State, at now: Timestamp) {
    self.state = state
    ended = now
    next = nil
    forgetListing()
  }

  fileprivate func isOld(at now: Timestamp) -> Bool {
    now.milliseconds - notice.fact.at.milliseconds > NotificationQueue.longestWords
  }

  mutating func forgetListing() { notice.fact = notice.fact.withoutListing }
}
