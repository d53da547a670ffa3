import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension DocumentReader {
  /// What one look of a model at a document has brought, and what this request paid for it.
  struct Look: Sendable {
    /// The name of the one that has answered.
    var model: String
    /// Nil: its answer is of no use.
    var checks: [InvoiceCheck]?
    /// What this request used; nothing where the answer was there.
    var usage: GeminiUsage
    /// What this request paid, in nano-units.
    var nanoUnits: Int64
    /// What makes that an estimate; empty: it is exact.
    var estimates: [GeminiPrice.Estimate]
    /// The id of the one that sent the call; nil: nobody knows.
    var credential: String?
    var isHit: Bool
    var spent: Spent
  }

  /// What a request has spent, in tokens.
  struct Spent: Hashable, Sendable {
    var charge: Int64 = 0
    var inDoubt: Int64 = 0

    var isNothing: Bool { charge <= 0 && inDoubt <= 0 }

    static func + (left: Spent, right: Spent) -> Spent {
      Spent(charge: left.charge &+ right.charge, inDoubt: left.inDoubt &+ right.inDoubt)
    }

    mutating func add(_ outcome: ResourceOutcome?) {
      charge &+= (outcome?.cost ?? 0) &+ (outcome?.lost ?? 0)
      inDoubt &+= outcome?.inDoubt ?? 0
    }

    /// A failure that tells it.
    fileprivate func failure(
      _ problem: Problem, _ cause: PurchaseProblem? = nil, _ look: Look? = nil
    ) -> Failure {
      var problem = problem
      problem.headers[.charge] = "\(charge)"
      problem.headers.tell(inDoubt: inDoubt)
      return Failure(problem: problem, cause: cause, spent: self, look: look)
    }
  }

  /// Has a model look at a document.
  ///
  /// - Parameters:
  ///   - spent: what the request has spent on the document before, in tokens.
  ///   - time: how long it may take, in milliseconds.
  /// - Throws: `Failure`, or `LogError` if what is stored cannot be read.
  func look(
    _ question: Question, spent before: Int64 = 0, within time: Int64 = patience
  ) async throws -> (look: Look, fields: InvoiceFields) {
    var demand: ResourceDemand
    do throws(Problem) {
      demand = try self.demand(question, spent: before, within: time)
    } catch { throw Failure(problem: error) }
    var answer = await gateway.answer(demand)
    var spent = Spent()
    spent.add(answer.outcomes.first)
    if let entry = answer.outcomes.first?.entry, try gateway.content(of: entry) == nil {
      // It was not kept, or its key is gone.
      demand.age = .fetched(0)
      answer = await gateway.answer(demand)
      spent.add(answer.outcomes.first)
    }
    guard let outcome = answer.outcomes.first else {
      throw Failure(problem: Problem(.internalError, "nothing is known about it"))
    }
    if let problem = outcome.problem { throw spent.failure(Problem(problem), problem) }
    if let write = outcome.handedOn, case .handOn(_, let detail) = write.disposition {
      throw spent.failure(
        Problem(.documentNotRead, detail), nil, look(question, of: outcome, write, spent))
    }
    guard let entry = outcome.entry, let content = try gateway.content(of: entry),
      let found = GeminiAnswer(content)
    else { throw spent.failure(Problem(.documentNotRead, "its answer cannot be read")) }
    let charge = try charge(of: entry)
    let isOwn = outcome.source == .upstream ? !outcome.isJoined : isOfJob(entry, charge)
    let money = entry.amounts.first { $0.unit == models.currency }?.count ?? 0
    let usage = (isOwn ? found.usage : nil) ?? GeminiUsage(prompt: 0)
    var look = Look(
      model: found.model.isEmpty ? question.request.model.name : found.model,
      usage: usage, nanoUnits: isOwn ? money : 0,
      estimates: question.request.model.price(on: entry.fetched.calendarDay)?
        .estimates(of: usage) ?? [],
      credential: charge?.credential, isHit: outcome.source == .cache && !isOwn, spent: spent)
    do throws(InvoiceFault) {
      let fields = try InvoiceFields(text: Array(found.text.utf8))
      look.checks = InvoiceChecks.all(of: fields)
      return (look, fields)
    } catch {
      // Asked again, the model may do better: this is not what is to be answered then.
      let order = PurgeOrder(
        scope: .key(entry.resource.description), isHard: true,
        note: "it does not follow the schema", actor: "tollbook")
      _ = try? await order.carryOut(on: gateway.log)
      throw spent.failure(
        Problem(.documentNotRead, "its answer does not follow the schema: \(error)"), nil, look)
    }
  }

  /// A look that was paid for and came to nothing: its answer is not kept.
  private func look(
    _ question: Question, of outcome: ResourceOutcome, _ write: Write, _ spent: Spent
  ) -> Look {
    let found = write.body.flatMap { GeminiAnswer($0) }
    let usage = (outcome.isJoined ? nil : found?.usage) ?? GeminiUsage(prompt: 0)
    let cost = question.request.model.price(on: gateway.log.time.now().calendarDay)?
      .cost(of: usage)
    let model = found?.model ?? ""
    return Look(
      model: model.isEmpty ? question.request.model.name : model, usage: usage,
      nanoUnits: cost?.nanoUnits ?? 0, estimates: cost?.estimates ?? [], isHit: false,
      spent: spent)
  }

  /// Whether the job has bought an entry of the cache by an earlier try of this document, such as one that was sent before
  /// the process ended.
  private func isOfJob(_ entry: CacheEntry, _ charge: TokensCharged?) -> Bool {
    guard let job, entry.written > job.since, let charge else { return false }
    return charge.payers.contains { $0.tags.contains(job.tag) }
  }

  /// The charge of the call which brought an entry: it stands behind it in its commit.
  private func charge(of entry: CacheEntry) throws(LogError) -> TokensCharged? {
    let reader = gateway.log.reader
    return try gateway.log.read { (reading) throws(LogError) in
      var found: TokensCharged?
      var left = Self.mostBehind
      try reader.scan(after: entry.written, in: reading) { (recorded) throws(LogError) in
        if case .tokensCharged(let event) = recorded.event {
          found = event
          return .stop
        }
        left -= 1
        return left > 0 ? .next : .stop
      }
      return found
    }
  }

  /// So many events of a commit stand between an entry and its charge at most.
  private static let mostBehind = 8
}
