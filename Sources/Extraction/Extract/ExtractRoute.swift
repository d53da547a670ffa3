import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `POST /extract`: invoices, credit notes and receipts, each read by a model, at once or as a job.
  ///
  /// - Parameters:
  ///   - model: the name of the one that reads.
  ///   - second: whether a document is read once more where a check fails.
  func addExtract(
    _ models: GeminiModels, model: String, second: SecondLook,
    to router: Router<TollbookContext>
  ) {
    let room = UploadRoom()
    router.route(
      "/extract", takesForm: true,
      post: { request, context in
        try refuseForeignForm(request)
        let bytes = try await room.enter(request, atMost: ExtractForm.longestBody)
        defer { room.leave(bytes) }
        return try await once(request, context, atMost: ExtractForm.longestBody) {
          request, context in
          try await extract(request, context, with: models, by: model, second: second)
        }
      })
  }

  private func extract(
    _ request: Request, _ context: TollbookContext, with models: GeminiModels, by model: String,
    second: SecondLook
  ) async throws -> Response {
    var form = try await ExtractForm(request)
    let reader = DocumentReader(
      gateway: gateway, models: models, model: model, principal: try payer(form, context.principal),
      options: try options(request), second: second)
    if Preference.states(Preference.respondAsync, request.headers) {
      return try await takeOnExtract(&form, reader, request.headers)
    }
    if try Self.isDryRun(request.headers) { return try preview(form, reader, request) }
    var results = ExtractResults(results: [], currency: models.currency)
    while let file = form.takeFile() {
      do {
        results.results.append((file.name, .success(try await reader.read(file))))
      } catch let failure as DocumentReader.Failure {
        results.results.append((file.name, .failure(failure.problem)))
      }
    }
    return try results.response(position: log.head)
  }

  /// Refuses a form that a page of somebody else's could post: a browser says where it comes from, and such a page knows no
  /// access key.
  private func refuseForeignForm(_ request: Request) throws(Problem) {
    let isBrowser = request.headers[.origin] != nil || request.headers[.secFetchSite] != nil
    let hasKey = [HeaderName.authorization, .apiKey, .accessKey].contains {
      request.headers[$0] != nil
    }
    guard !isBrowser || hasKey else {
      throw Problem(
        .foreignOrigin, "a page must show an access key in a header to have documents read",
        field: "Origin")
    }
  }

  /// Who pays: the company that the form names, for the user and the branch that it names.
  private func payer(_ form: ExtractForm, _ principal: Principal) throws -> Principal {
    guard let company = form.company else {
      throw Problem(
        .missingField, "companyID is missing: it names the account that pays", field: "companyID")
    }
    let shown = company.inOneLine(atMost: 100)
    _ = try principal.account(named: company, field: "companyID")
    let accounts = AccountsView(log)
    let row = try log.read { (reading) throws(LogError) in
      try accounts.account(company, in: reading)
    }
    guard row != nil || company == gateway.settings.account else {
      throw Problem(.unknownCompany, "there is no company “\(shown)”", field: "companyID")
    }
    guard row?.isOpen ?? true else {
      throw Problem(
        .forbidden, "the account of the company “\(shown)” is closed", field: "companyID")
    }
    if let schema = form.schema, schema != InvoiceSchema.name {
      throw Problem(
        .invalidField,
        "there is no schema “\(schema.inOneLine(atMost: 100))”; there is \(InvoiceSchema.name)",
        field: "schema")
    }
    var payer = principal
    payer.account = company
    for (name, tag, value) in [
      ("username", "user", form.user), ("branch", "branch", form.branch),
    ] {
      guard let value else { continue }
      guard !value.contains(",") else {
        throw Problem(.invalidField, "\(name) may have no comma", field: name)
      }
      do throws(TagProblem) {
        let others = payer.tags.filter { !$0.hasPrefix("\(tag)=") }
        payer.tags = try Tags.list((others + ["\(tag)=\(value)"]).joined(separator: ","))
      } catch { throw Problem(.invalidField, error.description, field: name) }
    }
    return payer
  }

  private func options(_ request: Request) throws(Problem) -> DemandOptions {
    do throws(DemandOptions.Fault) {
      var options = try DemandOptions(path: nil, request.headers)
      // Those of the header are the payer's already, beside what the form names.
      options.tags = []
      return options
    } catch { throw Problem(.invalidParameter, error.description) }
  }

  /// What it would cost and whether it is there: nothing is bought.
  private func preview(
    _ form: ExtractForm, _ reader: DocumentReader, _ request: Request
  ) throws -> Response {
    guard form.files.count == 1, let file = form.files.first else {
      throw Problem(
        .invalidField, "what it would cost is told of one file at a time", field: "file")
    }
    let question = try reader.question(file)
    let demand = try reader.demand(question)
    let sequel = try reader.following(question, demand)
    guard let preview = try dryRun(demand, then: sequel, request.headers) else {
      throw Problem(.internalError, "nothing was asked")
    }
    return preview
  }
}

extension Problem.Kind {
  static let unknownCompany = Problem.Kind(
    "unknown-company", .notFound, "There is no such company")
}
