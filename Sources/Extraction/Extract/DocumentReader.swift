import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

/// Has one document after the other read by a model, for one company.
///
/// 1. What a document is its bytes say, before anything is spent.
/// 2. The same bytes, read with the same schema, prompt and model, cost nothing the second time.
/// 3. What the model answers is believed as far as it follows the schema, and its sums are checked.
/// 4. Where one of them fails a second look may be taken, which is bought and kept as the first one is.
struct DocumentReader: Sendable {
  /// How long one document may take, in milliseconds.
  static let patience: Int64 = 60_000
  /// So much of it must be left for a second look, in milliseconds: it would be paid for and not waited for.
  static let shortestLook: Int64 = 10_000

  let gateway: Gateway
  let models: GeminiModels
  /// The name of the model that reads.
  let model: String
  /// Who asks and pays.
  let principal: Principal
  let options: DemandOptions
  /// The job that it is read for; nil: somebody waits.
  var job: Job?
  var second = SecondLook.off

  /// A job of the log, as far as a step of it has to know it.
  struct Job: Sendable {
    /// The tag of what it buys.
    var tag: String
    /// Where the step before ended: what was bought since is its own, also if it comes from the cache by now.
    var since: Position
  }

  /// Why a document was not read.
  struct Failure: Error {
    var problem: Problem
    /// Why its answer was not bought; nil: it was, or was not to be.
    var cause: PurchaseProblem?
    var spent = Spent()
    /// What was paid for, if what came is of no use.
    var look: Look?
    /// What is told if it is not tried again: of a second look that a job was to take.
    var instead: Reading?

    /// Whether a model was asked, or may have been.
    fileprivate var isAsked: Bool {
      guard spent.isNothing else { return true }
      return switch cause?.reason {
      case nil: look != nil
      case .upstreamUnavailable, .tooLate, .keyRejected, .requestRejected, .incomplete: true
      case .insufficientTokens, .limitReached, .budgetExceeded, .accountClosed, .notAllowed,
        .requestLimit, .notConfigured, .answerLost, .storageFull, .storageFailed, .busy, .stopping:
        false
      }
    }
  }

  /// What was read.
  struct Reading: Sendable {
    var name: String
    var facts: DocumentFacts
    /// What the look says that was taken.
    var fields: InvoiceFields
    var checks: [InvoiceCheck]
    /// One, or two, in the order in which they were taken.
    var looks: [Look]
    /// Which of them it is.
    var taken = 0
    /// Why a second look that was to be taken came to nothing.
    var secondProblem: Problem?
    /// In tokens.
    var spent: Spent
    /// Whether no model was asked.
    var isHit: Bool

    fileprivate init(name: String, _ facts: DocumentFacts, _ fields: InvoiceFields, _ look: Look) {
      self.name = name
      self.facts = facts
      self.fields = fields
      checks = look.checks ?? []
      looks = [look]
      spent = look.spent
      isHit = look.isHit
    }

    /// Takes the look of which fewer checks fail; the first if there are as many.
    fileprivate mutating func add(_ look: Look, _ fields: InvoiceFields) {
      let others = look.checks ?? []
      looks.append(look)
      spent = spent + look.spent
      isHit = isHit && look.isHit
      guard Self.failures(of: others, after: checks) < checks.brokenRules.count else { return }
      taken = 1
      self.fields = fields
      checks = others
    }

    /// How many checks fail of a second look. One that failed and can no longer be made does so too: what is left out has
    /// not been put right.
    static func failures(of checks: [InvoiceCheck], after first: [InvoiceCheck]) -> Int {
      let failed = Set(first.brokenRules)
      return checks.count { check in
        check.verdict == .failed
          || (check.verdict == .notApplicable && failed.contains(check.rule))
      }
    }

    /// The first look stays what it is.
    fileprivate mutating func note(_ failure: Failure) {
      secondProblem = failure.problem
      spent = spent + failure.spent
      if let look = failure.look { looks.append(look) }
      if failure.isAsked { isHit = false }
    }
  }

  /// Has one document read: the way of those that wait for an answer, and of jobs.
  ///
  /// - Throws: `Failure`, or `LogError` if what is stored cannot be read.
  func read(_ file: ExtractForm.File) async throws -> Reading {
    let began = gateway.log.time.monotonicMilliseconds
    let question: Question
    do throws(Problem) { question = try self.question(file) } catch {
      throw Failure(problem: error)
    }
    let first = try await look(question)
    var reading = Reading(name: file.name, question.facts, first.fields, first.look)
    guard second != .off, !reading.checks.brokenRules.isEmpty else { return reading }
    do {
      let before = gateway.log.time.monotonicMilliseconds - began
      let found = try await secondLook(after: question, reading.spent, began: before)
      reading.add(found.look, found.fields)
    } catch var failure as Failure {
      reading.note(failure)
      // A job may take it later.
      guard job != nil, failure.cause != nil else { return reading }
      failure.instead = reading
      throw failure
    }
    return reading
  }

  /// - Parameter elapsed: since the document's turn came, in milliseconds.
  private func secondLook(
    after first: Question, _ spent: Spent, began elapsed: Int64
  ) async throws -> (look: Look, fields: InvoiceFields) {
    let left = job == nil ? Self.patience - elapsed : Self.patience
    guard left >= Self.shortestLook else {
      let cause = PurchaseProblem(
        .tooLate, "too little of the time for the document was left for a second look")
      throw Failure(problem: Problem(cause), cause: cause)
    }
    let question: Question?
    do throws(Problem) { question = try second(after: first) } catch {
      throw Failure(problem: error)
    }
    guard let question else { throw Failure(problem: Problem(.internalError, "none is set")) }
    return try await look(question, spent: spent.charge &+ spent.inDoubt, within: left)
  }
}

extension [InvoiceCheck] {
  /// The rules that are broken, in their order.
  var brokenRules: [InvoiceCheck.Rule] { filter { $0.verdict == .failed }.map(\.rule) }
}

extension Problem.Kind {
  static let invalidDocument = Problem.Kind(
    "invalid-document", .unprocessableContent, "The document cannot be read")
  static let documentNotRead = Problem.Kind(
    "document-not-read", .badGateway, "The model gave no usable answer")
  static let notReached = Problem.Kind(
    "document-not-reached", .conflict, "The job ended before the document's turn came")
  static let priceUnknown = Problem.Kind(
    "price-unknown", .serviceUnavailable, "No price is known")
}
