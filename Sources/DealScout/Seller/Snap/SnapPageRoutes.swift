import Extraction
import Hummingbird
import JSONText
import Synchronization
import TollbookEvents
import TollbookGateway
package import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// The page `/snap`, what it shows, and its forms: one sends photos in, one makes a draft.
  ///
  /// - Parameter scout: knows the listings that were seen; nil: prices are suggested by own sales alone.
  package func addSnapPages(
    _ settings: SellerSettings, scout: Scout? = nil, to router: PageRouter
  ) {
    let desk = SellerDesk(gateway, settings, scout: scout)
    router.page(
      "/snap", link: "Photo desk", query: QueryNames(["cursor"]),
      form: .upload(
        read: { request, gate in try await SentPhotos.read(request, gate, desk) },
        { sent, context in try await takePhotos(sent, context, desk) })
    ) { request, context in
      let cursor = try QueryParameters(request).position("cursor")
      return SnapPage.page(try await snapContent(from: cursor, context, desk))
    }
    router.form("/snap/drafts", fields: SnapPage.draftFields) { fields, context in
      try await takeDraft(fields, context, desk)
    }
    router.file("/snap/photos/{digest}") { _, context in
      try await photo(
        Self.name(context.request, "digest"), of: context.principal.account, desk)
    }
    router.file("/snap/drafts/export", query: QueryNames(["marketplace"])) { request, context in
      try exportedDrafts(
        of: context.principal.account, QueryParameters(request)["marketplace"], desk.drafts)
    }
    router.file("/snap/drafts/{id}/export") { _, context in
      let id = Self.name(context.request, "id")
      guard let draft = try desk.drafts.draft(id, of: context.principal.account) else {
        throw Self.noDraft(id)
      }
      return Self.table([draft], of: draft.content.marketplace)
    }
  }

  // MARK: Showing

  /// How many sets of photos a page shows.
  private static let snapsTogether = 20

  private func snapContent(
    from cursor: Position?, _ context: PageContext, _ desk: SellerDesk
  ) async throws -> SnapPage.Content {
    let account = context.principal.account
    var content = SnapPage.Content(now: log.time.now(), token: context.token)
    content.mostPhotos = PhotoBook.mostTogether
    content.longestPhoto = Photo.longest
    content.cursor = cursor.map(String.init) ?? ""
    let (snaps, next) = try snaps(of: account, before: cursor, limit: Self.snapsTogether)
    content.next = next.flatMap { OwnPath("/snap", query: [("cursor", "\($0)")]) }
    if let last = snaps.lazy.compactMap(\.subject).first { content.marketplace = last.marketplace }
    let drafts = try desk.drafts.drafts(of: account)
    let open = Set(drafts.filter { !$0.isSold }.map(\.content.marketplace))
    content.exports = open.sorted { $0.id < $1.id }
    let draftOf = Dictionary(
      drafts.compactMap { draft in draft.content.snap.map { ($0, draft) } }
    ) { newest, _ in newest }
    // What prices are suggested by is read once for all of them.
    let prices =
      snaps.contains { $0.finding != nil && draftOf[$0.number] == nil }
      ? try await desk.priceDesk(of: account) : nil
    for snap in snaps {
      let draft = draftOf[snap.number]
      var price: SuggestedPrice?
      if let prices, draft == nil, let finding = snap.finding, let subject = snap.subject {
        price = try await prices.price(of: finding, on: subject.marketplace)
      }
      content.snaps.append(
        SnapPage.Snap(snap, photos: try keptPhotos(of: snap, desk), price, draft))
    }
    return content
  }

  /// The digests of the photos of a snap that were not deleted.
  private func keptPhotos(of snap: Snap, _ desk: SellerDesk) throws(LogError) -> [String] {
    var kept: [String] = []
    for digest in snap.subject?.photos ?? [] {
      let record = try desk.photos.record(digest, of: snap.account)
      if let record, record.deleted == nil { kept.append(digest) }
    }
    return kept
  }

  // MARK: Taking photos

  private func takePhotos(
    _ sent: SentPhotos, _ context: PageContext, _ desk: SellerDesk
  ) async throws -> PageAnswer {
    var (form, fault) = sent.take()
    let (note, site) = (form.note, form.marketplace)
    if fault == nil {
      do {
        _ = try await queueSnap(&form, by: context.principal, DemandOptions(), desk)
        return .seeOther("/snap")
      } catch let problem as Problem { fault = problem }
    }
    guard let fault else { return .seeOther("/snap") }
    // Photos must be chosen anew: no browser lets a page fill them in. What was typed is there.
    var content = try await snapContent(from: nil, context, desk)
    content.fault = fault.detail
    content.note = note ?? ""
    if let site = site.flatMap({ EbayMarketplace(rawValue: $0) }) { content.marketplace = site }
    return .page(SnapPage.page(content, status: fault.status.code))
  }

  // MARK: Making a draft

  private func takeDraft(
    _ fields: FormFields, _ context: PageContext, _ desk: SellerDesk
  ) async throws -> PageAnswer {
    let account = context.principal.account
    let text = try fields.require("snap", "the number of what was sent in")
    guard let number = Position(text), let snap = try snap(number, of: account),
      let subject = snap.subject
    else { throw DraftOrder.wrong("snap", "is no number of what was sent in") }
    let cursor = fields["cursor"].flatMap { Position($0) }
    let back = OwnPath("/snap", query: [("cursor", cursor.map(String.init) ?? "")]) ?? "/snap"
    var typed = SnapPage.DraftForm()
    typed.title = fields["title"] ?? ""
    typed.condition = fields["condition"] ?? ""
    typed.price = fields["price"] ?? ""
    typed.description = fields["description"] ?? ""
    do {
      let photos = try keptPhotos(of: snap, desk)
      let order = try DraftOrder(typed.order(number, on: subject.marketplace, photos: photos))
      _ = try await makeDraft(order, .snap(number), of: account, desk)
      return .seeOther(back)
    } catch let problem as Problem {
      var content = try await snapContent(from: cursor, context, desk)
      guard let place = content.snaps.firstIndex(where: { $0.id == "\(number)" }) else {
        throw problem
      }
      guard content.snaps[place].draft == nil else {
        throw Problem(.conflict, "a draft of this was made before, and says something else")
      }
      typed.faults = [SnapPage.DraftForm.field(of: problem): problem.detail]
      content.snaps[place].form = typed
      return .page(SnapPage.page(content, status: problem.status.code))
    }
  }
}

/// Photos that a page has sent, and the room in memory that they take until nobody holds them any more.
private final class SentPhotos: Sendable {
  private let form: Mutex<SnapForm>
  private let fault: Problem?
  private let room: UploadRoom
  private let bytes: Int

  private init(_ form: SnapForm, _ fault: Problem?, _ room: UploadRoom, _ bytes: Int) {
    self.form = Mutex(form)
    self.fault = fault
    self.room = room
    self.bytes = bytes
  }

  deinit { room.leave(bytes) }

  /// Reads a form. What is wrong with one whose token counts is told on the page; else nobody is told anything.
  static func read(
    _ request: Request, _ gate: FormGate, _ desk: SellerDesk
  ) async throws -> SentPhotos {
    let room = desk.settings.room
    let bytes = try await room.enter(request, atMost: SnapForm.longestBody)
    var form = SnapForm(gate: gate)
    do {
      try await form.read(request)
      return SentPhotos(form, nil, room, bytes)
    } catch {
      guard form.isAdmitted, let problem = error as? Problem else {
        room.leave(bytes)
        throw error
      }
      while form.takePhoto() != nil {}
      return SentPhotos(form, problem, room, bytes)
    }
  }

  /// The form, which is then no more here, and what is wrong with it.
  func take() -> (form: SnapForm, fault: Problem?) {
    let taken = form.withLock { form in
      defer { form = SnapForm() }
      return form
    }
    return (taken, fault)
  }
}

extension SnapPage.DraftForm {
  /// What makes the draft, as a client would post it.
  fileprivate func order(
    _ snap: Position, on marketplace: EbayMarketplace, photos: [String]
  ) -> [UInt8] {
    var json = JSONWriter(capacity: 1_024 + description.utf8.count)
    json.object { json in
      json.field("snap", "\(snap)")
      json.field("title", title)
      json.field("condition", condition)
      json.field("description", description)
      json.object("price") { json in
        json.field("amount", price)
        json.field("currency", marketplace.currency.code)
      }
      json.array("photos", photos)
    }
    return json.bytes
  }

  /// Beside which field a problem is told.
  fileprivate static func field(of problem: Problem) -> String {
    let name = problem.field ?? ""
    if name.hasPrefix("price") { return "price" }
    return ["title", "condition", "description"].contains(name) ? name : ""
  }
}

extension SnapPage.Snap {
  fileprivate init(
    _ snap: Snap, photos: [String], _ price: SuggestedPrice?, _ draft: Draft?
  ) {
    let state: State =
      switch snap.state {
      case .queued: .waiting
      case .running: .reading
      case .cancelled: .failed("It was cancelled.")
      case .done, .failed:
        if let fault = snap.fault {
          .failed(fault)
        } else if snap.finding != nil {
          .done
        } else {
          .failed(snap.detail.isEmpty ? "What was found is not kept any more." : snap.detail)
        }
      }
    self.init(
      id: "\(snap.number)", added: snap.queued, state: state,
      photoCount: snap.subject?.photos.count ?? 0)
    self.photos = photos.compactMap { OwnPath("/snap/photos/\($0)") }
    if let subject = snap.subject { marketplace = subject.marketplace }
    if let draft {
      self.draft = MadeDraft(
        made: draft.created, price: draft.content.price,
        file: OwnPath("/snap/drafts/\(draft.id)/export"))
    }
    self.price = price.map { Price($0) }
    guard let finding = snap.finding else { return }
    product = finding.product
    condition = finding.condition?.title ?? ""
    defects = finding.defects
    title = finding.title
    guard draft == nil, snap.subject != nil else { return }
    var form = SnapPage.DraftForm()
    form.title = finding.title
    form.condition = finding.condition?.rawValue ?? ""
    form.description = finding.defects.joined(separator: "\n")
    if let amount = price?.answer.suggestion?.typical.total {
      form.price = EbayMoney(minorUnits: amount, marketplace.currency)?.plainText ?? ""
    }
    self.form = form
  }
}

extension SnapPage.Snap.Price {
  fileprivate init(_ price: SuggestedPrice) {
    guard let found = price.answer.suggestion else {
      let why = price.why ?? ""
      self = .refused("\(why.prefix(1).uppercased())\(why.dropFirst()).")
      return
    }
    self = .suggested(
      found.typical.total, low: found.quick.total, high: found.patient.total,
      currency: price.marketplace.currency, confidence: found.confidence.rawValue,
      basis: found.basis.sentences)
  }
}
