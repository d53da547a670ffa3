import Extraction
import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension HTTPService {
  /// `POST /seller/snap`: photos of something that is to be sold, which a model looks at in a job; `GET
  /// /seller/snap/{id}`: how far that is and what was found; `GET /seller/snaps`: all of an account, the newest first.
  func addSnaps(to router: Router<TollbookContext>, _ desk: SellerDesk) {
    router.route(
      "/seller/snap", takesForm: true,
      post: { request, context in
        try refuseForeignPhotos(request)
        let room = desk.settings.room
        let bytes = try await room.enter(request, atMost: SnapForm.longestBody)
        defer { room.leave(bytes) }
        return try await once(request, context, atMost: SnapForm.longestBody) {
          request, context in try await takeSnap(request, context, desk)
        }
      })
    router.route(
      "/seller/snap/{id}", query: QueryNames([]),
      get: { _, context in
        let text = Self.name(context, "id")
        guard case .recorded(let number)? = JobID(text),
          let job = try gateway.job(.recorded(number)), job.kind == SnapOrder.job,
          job.isSeen(by: context.principal), let record = job.record
        else {
          throw Problem(.notFound, "there is no snap “\(text.inOneLine(atMost: 40))”", field: "id")
        }
        let snap = try Snap(number, job, of: record.account, in: gateway)
        let price = try await suggestedPrice(for: snap, desk)
        return try .snap(snap, desk, price: price, position: log.head)
      })
    router.route(
      "/seller/snaps", query: QueryNames(["account", "limit", "cursor"]),
      get: { request, context in
        let query = QueryParameters(request)
        let account = try account(query["account"], context)
        let page = try snaps(
          of: account, before: try query.position("cursor"),
          limit: try query.limit(default: 50, maximum: 200))
        return .object(position: log.head, capacity: 2_048 * (page.snaps.count + 1)) { json in
          json.array("snaps", page.snaps) { json, snap in
            json.object { json in snap.writeMembers(photos: nil, to: &json) }
          }
          json.field("next", page.next.map(String.init))
        }
      })
  }

  private static let mostLooked = 1_000

  func snaps(
    of account: String, before cursor: Position?, limit: Int
  ) throws -> (snaps: [Snap], next: Position?) {
    var snaps: [Snap] = []
    var last = cursor ?? log.head + 1
    let looked = try gateway.recordedJobs(before: cursor, limit: Self.mostLooked)
    for (number, job) in looked {
      guard snaps.count < limit else { return (snaps, last) }
      last = number
      guard job.kind == SnapOrder.job, job.record?.account == account else { continue }
      snaps.append(try Snap(number, job, of: account, in: gateway))
    }
    return (snaps, looked.count == Self.mostLooked ? last : nil)
  }

  /// What to ask for what a model has found; nil: it has found nothing, or not yet.
  private func suggestedPrice(for snap: Snap, _ desk: SellerDesk) async throws -> SuggestedPrice? {
    guard let finding = snap.finding, let subject = snap.subject else { return nil }
    return try await desk.priceDesk(of: snap.account).price(of: finding, on: subject.marketplace)
  }

  // MARK: Taking one on

  private func takeSnap(
    _ request: Request, _ context: TollbookContext, _ desk: SellerDesk
  ) async throws -> Response {
    var form = SnapForm()
    try await form.read(request)
    let payer = try payer(form, context.principal)
    let options: DemandOptions
    do throws(DemandOptions.Fault) { options = try DemandOptions(path: nil, request.headers) } catch
    {
      throw Problem(.invalidParameter, error.description)
    }
    let number = try await queueSnap(&form, by: payer, options, desk)
    guard let job = try gateway.job(.recorded(number)) else {
      throw Problem(.internalError, "the job is not known")
    }
    let snap = try Snap(number, job, of: payer.account, in: gateway)
    var response = try Response.snap(snap, desk, price: nil, position: log.head)
    response.status = .accepted
    response.headers[.location] = "/seller/snap/\(number)"
    return response
  }

  /// Keeps the photos of a form, and has a model look at them in a job. They are taken out of the form.
  ///
  /// - Returns: the number of the job.
  func queueSnap(
    _ form: inout SnapForm, by payer: Principal, _ options: DemandOptions, _ desk: SellerDesk
  ) async throws -> Position {
    let marketplace: EbayMarketplace
    do throws(EbayRequestFault) {
      marketplace = try EbayMarketplace(id: form.marketplace ?? "EBAY_US")
    } catch { throw Problem(error) }
    guard payer.mayAsk(for: GeminiUpstream.answer) else {
      throw Problem(
        PurchaseProblem(.notAllowed, "the access key is not for \(GeminiUpstream.answer)"))
    }
    guard let kind = gateway.jobKind(SnapOrder.job) else {
      throw Problem(.internalError, "no upstream has jobs of kind \(SnapOrder.job)")
    }
    // All of them are looked at before the first is kept.
    var photos: [Photo] = []
    while let file = form.takePhoto() {
      photos.append(try await Self.photo(of: file))
    }
    guard try desk.photos.hasRoom(for: photos.count, of: payer.account) else {
      throw Problem(
        .conflict, "the account has \(PhotoBook.mostOfAccount) photos, as many as it may",
        field: "photo")
    }
    let digests = try await Problem.ofPhotos {
      var digests: [String] = []
      for photo in photos {
        let digest = try await desk.photos.add(photo, of: payer.account).digest
        if !digests.contains(digest) { digests.append(digest) }
      }
      return digests
    }
    let order = SnapOrder(
      of: payer.account, model: desk.settings.model, maximumTokens: options.maximumTokens,
      fresh: options.fresh)
    do {
      try await order.keep(
        SnapSubject(photos: digests, marketplace: marketplace, note: form.note), in: gateway)
      let id = try await gateway.queueJob(kind, request: order.bytes, total: 1, by: payer)
      guard case .recorded(let number) = id else {
        throw Problem(.internalError, "the job has no number")
      }
      return number
    } catch {
      // Nobody will read it. What cannot be removed now goes when its time is over.
      try? await gateway.removeKept(order.prefix)
      throw (error as? PurchaseProblem).map { Problem($0) } ?? error
    }
  }

  /// Work for a processor: it runs on no executor that requests share.
  @concurrent
  private static func photo(of file: SnapForm.File) async throws(Problem) -> Photo {
    do throws(PhotoFault) { return try Photo(of: file.content, declared: file.type) } catch {
      throw Problem(.invalidPhoto, "\(file.name): \(error)", field: "photo")
    }
  }

  /// Refuses a form that a page of somebody else's could post: a browser says where it comes from, and such a page
  /// knows no access key.
  private func refuseForeignPhotos(_ request: Request) throws(Problem) {
    let isBrowser = request.headers[.origin] != nil || request.headers[.secFetchSite] != nil
    let hasKey = [HeaderName.authorization, .apiKey, .accessKey].contains {
      request.headers[$0] != nil
    }
    guard !isBrowser || hasKey else {
      throw Problem(
        .foreignOrigin, "a page must show an access key in a header to have photos looked at",
        field: "Origin")
    }
  }

  /// Who pays: who asks, or the account that the form names.
  private func payer(_ form: SnapForm, _ principal: Principal) throws -> Principal {
    guard let (name, field) = form.payer else { return principal }
    let shown = name.inOneLine(atMost: 100)
    _ = try principal.account(named: name, field: field)
    let accounts = AccountsView(log)
    let row = try log.read { (reading) throws(LogError) in
      try accounts.account(name, in: reading)
    }
    guard row != nil || name == gateway.settings.account else {
      throw Problem(.notFound, "there is no account “\(shown)”", field: field)
    }
    guard row?.isOpen ?? true else {
      throw Problem(.forbidden, "the account “\(shown)” is closed", field: field)
    }
    var payer = principal
    payer.account = name
    return payer
  }
}
