package import Hummingbird
package import JSONText
package import TollbookEvents
package import TollbookForecast
package import TollbookGateway
import TollbookUpstreams
package import TollbookViews

/// What one system adds to what Tollbook says over HTTP: its own routes, and the words of its kinds.
package struct HTTPSystem: Sendable {
  /// What entries of a kind can be found by beside their names.
  package struct Labels: Sendable {
    /// What a label begins with, before its colon, such as `color`.
    package var names: [String]
    /// The labels of an entry, such as `color:red`. In whatever case they are written, they are the same.
    package var labels: @Sendable (CacheEntry) -> [String]

    package init(_ names: [String], _ labels: @escaping @Sendable (CacheEntry) -> [String]) {
      self.names = names
      self.labels = labels
    }
  }

  /// How entries of a kind are shown.
  package struct Kind: Sendable {
    /// What one of them is called, such as `place`.
    package var noun: String
    /// The parts that an entry holds, in one word.
    package var parts: @Sendable (UInt64) -> String
    /// Writes the members of a summary; nil: it cannot be read.
    package var summary: @Sendable ([UInt8]) -> (@Sendable (inout JSONWriter) -> Void)?
    /// What entries can be found by beside their names; nil: by nothing.
    package var labels: Labels?
    /// Whether an upstream sells it; else it is what a client has sent in, or what was made of that.
    package var isBought: Bool

    package init(
      _ noun: String,
      parts: @escaping @Sendable (UInt64) -> String = { $0 == 0 ? "plain" : "\($0)" },
      summary: @escaping @Sendable ([UInt8]) -> (@Sendable (inout JSONWriter) -> Void)? = { _ in
        nil
      }, labels: Labels? = nil, isBought: Bool = true
    ) {
      self.labels = labels
      self.isBought = isBought
      self.noun = noun
      self.parts = parts
      self.summary = summary
    }
  }

  /// By which kinds of what its calls have used, as charges tell them, input and output are counted.
  package struct TokenKinds: Hashable, Sendable {
    package var input: [String]
    package var output: [String]

    package init(input: [String] = [], output: [String] = []) {
      self.input = input
      self.output = output
    }
  }

  /// What is wrong, for whoever asks after the health of Tollbook.
  package struct Concern: Hashable, Sendable {
    /// In lower case with `_`; begins with the name of the system.
    package var name: String
    /// A sentence.
    package var detail: String

    package init(_ name: String, _ detail: String) {
      self.name = name
      self.detail = detail
    }
  }

  /// Writes what a job has brought so far, as a JSON value, for somebody who may see the job; nil: nothing is to be told.
  package typealias JobResults =
    @Sendable (_ gateway: Gateway, _ number: Position, _ job: Job, _ principal: Principal) throws ->
    [UInt8]?

  /// As it stands in events, in lower case: its operations and kinds begin with it.
  package var name: String
  /// As people write it.
  package var title: String
  /// By their names.
  package var kinds: [String: Kind]
  /// Where it speaks its provider's wire format; nil: nowhere.
  package var dropIn: DropIn?
  /// What `POST /cache/warm` takes of it; nil: nothing.
  package var warming: Warming?
  /// What can be tried with other windows on what was asked for.
  package var whatIf: [WhatIfKind] = []
  /// Why nothing is tried for other kinds, by their names.
  package var untried: [String: String] = [:]
  package var addRoutes: @Sendable (HTTPService, Router<TollbookContext>) -> Void
  /// Its pages.
  package var addPages: @Sendable (HTTPService, PageRouter) -> Void = { _, _ in }
  /// What jobs of its kinds have brought so far, by the kinds' names.
  package var jobResults: [String: JobResults] = [:]
  /// Of none: its charges tell nothing of the kind.
  package var tokenKinds = TokenKinds()
  /// What is wrong as far as the system itself can tell, beside what its upstream's calls tell.
  package var concerns: @Sendable () -> [Concern] = { [] }
  /// What the command line of whoever owns the data directory asks of it.
  package var addControlRoutes: @Sendable (HTTPService, Router<TollbookContext>) -> Void = { _, _ in
  }

  /// What it does by the clock, until the task is cancelled; nil: nothing.
  package var work: (@Sendable (HTTPService) async -> Void)?

  package init(
    _ name: String, title: String, kinds: [String: Kind] = [:], dropIn: DropIn? = nil,
    warming: Warming? = nil,
    addRoutes: @escaping @Sendable (HTTPService, Router<TollbookContext>) -> Void
  ) {
    self.name = name
    self.title = title
    self.kinds = kinds
    self.dropIn = dropIn
    self.warming = warming
    self.addRoutes = addRoutes
  }
}

extension [HTTPSystem] {
  private func kind(_ name: String) -> HTTPSystem.Kind? {
    lazy.compactMap { $0.kinds[name] }.first
  }

  /// What resources of a kind are called: of a kind that no system knows, resource.
  package func noun(of kind: String) -> String { self.kind(kind)?.noun ?? "resource" }

  /// Whether an upstream sells what is of a kind: of a kind that no system knows, one does.
  func isBought(_ kind: String) -> Bool { self.kind(kind)?.isBought ?? true }

  /// What people call the upstream of an operation, a kind or a credential, by what its name begins with.
  package func title(of name: String) -> String {
    let upstream = name.prefix { $0 != "." && $0 != ":" }
    return first { $0.name == upstream }?.title ?? "the upstream"
  }

  /// The kinds of which an upstream sells nothing.
  package var ownKinds: Set<String> {
    Set(flatMap { $0.kinds.filter { !$0.value.isBought }.keys }).union(Gateway.ownKinds)
  }

  /// What can be tried with other windows.
  package var whatIf: [WhatIfKind] { flatMap(\.whatIf) }

  /// Why no other windows are tried for a kind, in a sentence.
  package func reason(notToTry kind: String) -> String {
    lazy.compactMap { $0.untried[kind] }.first
      ?? (isBought(kind)
        ? "no price list says what other windows of it would have cost" : "it is not bought")
  }

  /// The kinds by which what an operation has used is counted: of one that no system knows none.
  func tokenKinds(of operation: String) -> HTTPSystem.TokenKinds {
    let upstream = operation.prefix { $0 != "." }
    return first { $0.name == upstream }?.tokenKinds ?? HTTPSystem.TokenKinds()
  }

  /// The names of all kinds, in their order.
  package var kindNames: [String] { Set(flatMap(\.kinds.keys)).sorted() }

  /// What labels may begin with, before their colon.
  package var labelNames: [String] {
    Set(flatMap { $0.kinds.values.flatMap { $0.labels?.names ?? [] } }).sorted()
  }

  /// The labels of an entry: of a kind that no system knows none.
  package var labels: PurgeOrder.Labels {
    { entry in kind(entry.resource.kind)?.labels?.labels(entry) ?? [] }
  }

  /// What is wrong with a label, in a sentence; nil if nothing is.
  package func fault(ofLabel label: String) -> String? {
    let parts = label.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let isKnown = labelNames.contains { $0 == parts[0].lowercased() }
    guard parts.count == 2, isKnown, !parts[1].isEmpty else {
      let names = labelNames.map { "\($0):…" }.joined(separator: ", ")
      return "“\(label.inOneLine(atMost: 100))” is no label; a label is one of \(names)"
    }
    return nil
  }

  /// The parts that an entry holds, in one word: of a kind that no system knows their number.
  func parts(_ parts: UInt64, of name: String) -> String {
    kind(name)?.parts(parts) ?? (parts == 0 ? "plain" : "\(parts)")
  }

  /// Writes a summary as a member; null if there is none, or none that can be read.
  func writeSummary(
    _ bytes: [UInt8], of name: String, named member: String, to json: inout JSONWriter
  ) {
    guard !bytes.isEmpty, let write = kind(name)?.summary(bytes) else {
      return json.nullField(member)
    }
    json.object(member, write)
  }
}
