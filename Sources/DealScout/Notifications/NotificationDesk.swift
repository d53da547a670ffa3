import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Tells accounts what their rules ask for, over their channels.
///
/// A notice is kept before it is sent, and under the same name whenever its fact comes up again: so each fact is queued
/// once for a channel, over restarts too. Where the process dies between the sending and the note of it, the same message
/// is sent again under the same id.
package final class NotificationDesk: Sendable {
  /// How e-mail is sent.
  package struct Mail: Sendable {
    let program: MailProgram
    let from: EmailAddress

    package init(_ program: MailProgram, from: EmailAddress) {
      self.program = program
      self.from = from
    }
  }

  /// What came of telling what was due.
  struct Tally: Hashable, Sendable {
    var sent = 0
    var failed = 0
    var givenUp = 0
  }

  /// Nil: no e-mail is sent.
  let mail: Mail?
  let limits: NotificationBook.Limits
  private let queue = Mutex(NotificationQueue())
  private let loading = Once<Bool>()
  /// Facts of each account that were not queued, since there was no room.
  private let leftOut = Mutex<[String: Int]>([:])
  /// When channels were tried last, by the clock that nobody sets, in milliseconds.
  private let tests = Mutex<[NotificationQueue.Place: Int64]>([:])
  /// What is to be looked at.
  let news = NotificationNews()

  init(mail: Mail?, limits: NotificationBook.Limits) {
    self.mail = mail
    self.limits = limits
  }

  /// - Parameter mail: nil: no e-mail is sent.
  package convenience init(mail: Mail? = nil) { self.init(mail: mail, limits: .init()) }

  func book(_ gateway: Gateway) -> NotificationBook {
    NotificationBook(gateway: gateway, limits: limits)
  }

  /// Takes up what waits, once. Who comes while that goes on waits for it: what was read before something was sent must
  /// not be queued after it.
  ///
  /// - Returns: whether there were rules, or notices that wait; false too where they cannot be read now.
  @discardableResult
  func load(_ gateway: Gateway) async -> Bool {
    (try? await loading.value { try await self.readWaiting(gateway) }) ?? false
  }

  private func readWaiting(_ gateway: Gateway) async throws -> Bool {
    let book = book(gateway)
    var isUsed = false
    let accounts = try gateway.openAccounts(
      keeping: [NotificationBook.ruleKind, NotificationBook.deliveryKind])
    for account in accounts {
      if try !book.rules(of: account).isEmpty { isUsed = true }
      for delivery in try book.deliveries(of: account) where delivery.state == .waiting {
        isUsed = queue.withLock { $0.add(delivery) } || isUsed
      }
      await Task.yield()
    }
    return isUsed
  }

  // MARK: Queueing

  /// Queues what the rules of an account want told of facts, each once.
  ///
  /// - Returns: how many notices are new.
  @discardableResult
  func tell(
    _ facts: [NotificationFact], of account: String, _ gateway: Gateway
  ) async throws -> Int {
    let book = book(gateway)
    let rules = try book.rules(of: account)
    guard !rules.isEmpty, !facts.isEmpty else { return 0 }
    await load(gateway)
    let now = gateway.log.time.now()
    var new = 0
    var room: Int?
    for fact in facts {
      for notice in NotificationRules.notices(of: fact, by: rules) {
        let id = try book.id(of: notice)
        if let entry = try book.entry(id, of: account) {
          // Its fact is still so: it is remembered for longer.
          if now.milliseconds - entry.fetched.milliseconds > NotificationBook.refresh,
            let known = try book.delivery(in: entry, of: account), known.state != .waiting
          {
            try await book.keep(known, after: entry)
          }
          continue
        }
        let left = try room ?? book.room(of: account)
        room = left
        let delivery = NotificationDelivery(notice, id: id, queued: now)
        guard left > 0,
          queue.withLock({ $0.count(of: account) }) < NotificationQueue.mostWaiting
        else {
          leftOut.withLock { $0[account, default: 0] += 1 }
          continue
        }
        guard try await book.keep(delivery, after: nil) else { continue }
        _ = queue.withLock { $0.add(delivery) }
        room = left - 1
        new += 1
      }
    }
    return new
  }

  /// Facts of an account that were not queued since the start, since there was no room.
  func leftOut(of account: String) -> Int { leftOut.withLock { $0[account] ?? 0 } }

  /// Sends again what was given up.
  func resend(_ id: String, of account: String, _ gateway: Gateway) async throws {
    let book = book(gateway)
    await load(gateway)
    let shown = id.inOneLine(atMost: 40)
    guard let entry = try book.entry(id, of: account),
      var delivery = try book.delivery(in: entry, of: account)
    else {
      throw AccountRefusal(.notFound, "id", "there is no notice “\(shown)”")
    }
    guard delivery.state == .givenUp else {
      let state = delivery.state == .sent ? "was sent" : "waits already"
      throw AccountRefusal(.conflict, "id", "the notice \(shown) \(state)")
    }
    let channel = delivery.notice.channel
    guard try book.channel(channel, of: account) != nil else {
      throw AccountRefusal(.conflict, "id", "the channel \(channel) was removed")
    }
    delivery.state = .waiting
    delivery.attempts = 0
    delivery.next = gateway.log.time.now()
    delivery.ended = nil
    guard queue.withLock({ $0.count(of: account) }) < NotificationQueue.mostWaiting else {
      throw AccountRefusal(
        .conflict, "id",
        "\(NotificationQueue.mostWaiting) notices of the account wait, as many as may")
    }
    // It is kept before it can be sent: what comes of that is kept after it. Of two who ask at once, one has it sent.
    guard try await book.keep(delivery, after: entry) else {
      throw AccountRefusal(.conflict, "id", "the notice \(shown) waits already")
    }
    let again = delivery
    queue.withLock { queue in
      queue.wake(again.place)
      _ = queue.add(again)
    }
  }

  // MARK: Sending

  /// Lets go what waits for the hour, and sends it.
  func sendHourly(_ gateway: Gateway) async -> Tally {
    await load(gateway)
    queue.withLock { $0.release(at: gateway.log.time.now()) }
    return await send(gateway)
  }

  /// Sends what is due, until nothing is. It may be called again before it has ended: then it sends what another channel
  /// has got meanwhile.
  @discardableResult
  func send(_ gateway: Gateway) async -> Tally {
    await load(gateway)
    await forgetListings(gateway)
    return await withTaskGroup(of: Tally.self) { group in
      var tally = Tally()
      while true {
        while !Task.isCancelled, gateway.log.writerState == .open,
          let batch = queue.withLock({ $0.take(at: gateway.log.time.now()) })
        {
          group.addTask { [self] in await attempt(batch, gateway) }
        }
        guard let next = await group.next() else { break }
        tally.sent += next.sent
        tally.failed += next.failed
        tally.givenUp += next.givenUp
      }
      return tally
    }
  }

  /// Has what waits for too long forget what its listings said, whatever becomes of the schedule of the hour.
  private func forgetListings(_ gateway: Gateway) async {
    let book = book(gateway)
    for old in queue.withLock({ $0.forgetListings(at: gateway.log.time.now()) }) {
      // What cannot be kept now is forgotten when it is kept next.
      try? await book.change(old.id, of: old.notice.fact.account) { kept in
        var kept = kept
        kept.forgetListing()
        return kept
      }
    }
  }

  private func attempt(_ batch: NotificationQueue.Batch, _ gateway: Gateway) async -> Tally {
    let book = book(gateway)
    let (account, name) = (batch.place.account, batch.place.channel)
    let ending: NotificationQueue.Ending
    do throws(LogError) {
      if let channel = try book.channel(name, of: account) {
        ending = await send(batch.digest, id: batch.id, over: channel, gateway)
      } else {
        ending = .refused("the channel \(name) was removed")
      }
    } catch {
      ending = .failed(MessageReceipt(status: 0, detail: "the channel cannot be read"))
    }
    // How it went nobody knows: it is sent again, as the same message.
    guard !Task.isCancelled else {
      queue.withLock { $0.giveBack(batch) }
      return Tally()
    }
    var tally = Tally()
    for delivery in queue.withLock({ $0.end(batch, ending, at: gateway.log.time.now()) }) {
      // What cannot be kept is as it is until the next start.
      try? await book.change(delivery.id, of: account) { _ in delivery }
      switch delivery.state {
      case .sent: tally.sent += 1
      case .waiting: tally.failed += 1
      case .givenUp: tally.givenUp += 1
      }
    }
    return tally
  }

  /// Tries a channel now.
  func test(
    _ channel: NotificationChannel, _ gateway: Gateway
  ) async throws -> NotificationQueue.Ending {
    let now = gateway.log.time.monotonicMilliseconds
    let place = NotificationQueue.Place(account: channel.account, channel: channel.name)
    let isAllowed = tests.withLock { tests in
      tests = tests.filter { now - $0.value < Self.testPause }
      guard tests[place] == nil else { return false }
      tests[place] = now
      return true
    }
    guard isAllowed else {
      throw AccountRefusal(
        .conflict, "name",
        "the channel was tried less than \(Self.testPause / 1_000) seconds ago; try it again then")
    }
    let at = gateway.log.time.now()
    let fact = try NotificationFact.test(of: channel.name, of: channel.account, at: at)
    let id = IdempotencyKey.digest(of: [
      Array(channel.account.utf8), Array(channel.name.utf8), Array("\(at)".utf8),
    ]).hexadecimal.prefix(24)
    let notice = NotificationNotice(
      channel: channel.name, rule: "", timing: .atOnce, fact: fact)
    return await send(NotificationDigest([notice]), id: String(id), over: channel, gateway)
  }

  /// Between two tries of a channel, in milliseconds.
  private static let testPause: Int64 = 10_000

  /// Sends a message once.
  func send(
    _ digest: NotificationDigest, id: String, over channel: NotificationChannel,
    _ gateway: Gateway
  ) async -> NotificationQueue.Ending {
    let now = gateway.log.time.now()
    let receipt: MessageReceipt
    switch channel.target {
    case .webhook(let entry):
      receipt = await gateway.tell(
        OutgoingMessage(delivery: id, digest.signedBody, to: entry, at: now))
    case .slack(let url):
      let entry = WebhookKeys.Entry(url: url, secret: "")
      receipt = await gateway.tell(
        OutgoingMessage(delivery: id, digest.slackBody, to: entry, at: now))
    case .email(let address):
      return await mail(digest, id: id, to: address, at: now, folder: gateway.log.directory.path)
    }
    return receipt.isTaken ? .taken(status: receipt.status) : .failed(receipt)
  }

  private func mail(
    _ digest: NotificationDigest, id: String, to address: EmailAddress, at now: Timestamp,
    folder: String
  ) async -> NotificationQueue.Ending {
    guard let mail else {
      return .failed(MessageReceipt(status: 0, detail: Self.noMail))
    }
    let message: EmailMessage
    do throws(NotificationProblem) {
      message = try digest.email(from: mail.from, to: address, id: id, date: now)
    } catch { return .refused(error.description) }
    switch await mail.program.send(message.bytes(.lf), id: id, to: address, folder: folder) {
    case .taken: return .taken(status: 0)
    case .failed(let detail): return .failed(MessageReceipt(status: 0, detail: detail))
    case .refused(let detail): return .refused(detail)
    }
  }

  /// Why no e-mail is sent.
  static let noMail = "no e-mail is sent: TOLLBOOK_SENDMAIL names no program"
}

extension NotificationQueue.Batch {
  /// Names the message: the same as long as it tells the same notices.
  var id: String {
    if deliveries.count == 1, let only = deliveries.first { return only.id }
    return String(
      IdempotencyKey.digest(of: deliveries.map { Array($0.id.utf8) }).hexadecimal.prefix(24))
  }

  var digest: NotificationDigest { NotificationDigest(deliveries.map(\.notice)) }
}
