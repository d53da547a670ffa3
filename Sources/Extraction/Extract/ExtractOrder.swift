import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// Documents that a job has read: what `POST /extract` asks for with `Prefer: respond-async`, and what the log keeps of it.
///
/// 1. The event of the job holds numbers and a word of chance, and nothing that was sent.
/// 2. Each document is an entry of its own, in a commit of its own, sealed with the account's data key; so are the names of
///    the files. Where the key is destroyed nobody can read them any more.
/// 3. With the result of a document its entry and its body go, in one commit; with the end of the job all that are left.
struct ExtractOrder: Sendable {
  /// The kind of its jobs.
  static let job = "gemini.documents"
  /// Jobs that may be open, of all accounts and of one.
  static let mostOpen = 100
  static let mostOfAccount = 20
  /// How long a job goes on waiting, from when it was taken on, in milliseconds: a day.
  static let patience: Int64 = 86_400_000
  /// How long documents are kept that no job has come to, in milliseconds: seven days.
  static let documentsKept: Int64 = 7 * 86_400_000
  /// How long results are kept, in milliseconds: as long as answers.
  static let resultsKept: Int64 = 30 * 86_400_000

  /// Who pays.
  let account: String
  /// Names its entries. Nobody can guess it, and no other order has it.
  let token: String
  let documents: Int
  /// The name of the model that reads.
  let model: String
  /// Whether it is read once more where a check fails.
  let second: SecondLook
  /// The most that the whole job may cost, in tokens; nil: no limit of its own.
  let maximumTokens: Int64?
  /// How old an answer may be, in milliseconds; nil: what its windows say.
  let fresh: Int64?

  init(_ reader: DocumentReader, documents: Int) {
    account = reader.principal.account
    token = AccessKey.systemRandom(16).hexadecimal
    self.documents = documents
    model = reader.model
    second = reader.second
    maximumTokens = reader.options.maximumTokens
    fresh = reader.options.fresh
  }

  // MARK: In the log

  /// What the event holds.
  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("token", token)
      json.field("documents", documents)
      json.field("model", model)
      if second != .off { json.field("second_look", second.text) }
      json.fieldIfPresent("max_tokens", maximumTokens)
      json.fieldIfPresent("fresh_ms", fresh)
    }
    return json.bytes
  }

  /// As it stands in the log; nil: it cannot be read.
  init?(_ bytes: [UInt8], of account: String) {
    guard let root = try? JSONDocument(bytes).root, let token = root["token"]?.string,
      !token.isEmpty, token.utf8.allSatisfy({ $0 != UInt8(ascii: "/") }),
      let documents = root["documents"]?.int, (1...ExtractForm.mostFiles).contains(documents),
      let model = root["model"]?.string
    else { return nil }
    self.account = account
    self.token = token
    self.documents = documents
    self.model = model
    second = root["second_look"]?.string.map { SecondLook($0) } ?? .off
    maximumTokens = root["max_tokens"]?.int64
    fresh = root["fresh_ms"]?.int64
  }

  // MARK: Its entries

  func document(_ index: Int) -> ResourceKey { key(GeminiUpstream.document, "\(index)") }
  func result(_ index: Int) -> ResourceKey { key(GeminiUpstream.result, "\(index)") }
  var files: ResourceKey { key(GeminiUpstream.result, "files") }

  /// What the names of its documents begin with.
  var prefix: String { "account/\(account)/\(GeminiUpstream.document)/\(token)/" }

  private func key(_ kind: String, _ name: String) -> ResourceKey {
    ResourceKey(account: account, kind: kind, path: "\(token)/\(name)")
  }

  /// How a file is called, and what it is said to be.
  struct File: Sendable {
    var name: String
    var type: String?
  }

  /// The names of the files as they are kept.
  static func bytes(of files: [ExtractForm.File]) -> [UInt8] {
    var json = JSONWriter()
    json.array(files) { json, file in
      json.object { json in
        json.field("file", file.name)
        json.fieldIfPresent("type", file.type)
      }
    }
    return json.bytes
  }

  /// Its files in their order: those whose names are not kept any more without one.
  func files(in gateway: Gateway) throws(LogError) -> [File] {
    let content = try gateway.keptContent(files)
    let named = content.flatMap { try? JSONDocument($0).root.array.map(Array.init) } ?? []
    return (0..<documents).map { index in
      guard index < named.count else { return File(name: "") }
      return File(name: named[index]["file"]?.string ?? "", type: named[index]["type"]?.string)
    }
  }

  // MARK: What has come of it

  /// Writes what became of each document, in the order in which they were sent: what was read, why it was not, or that it
  /// waits.
  @Sendable
  static func results(
    _ gateway: Gateway, _ number: Position, _ job: Job, _ principal: Principal
  ) throws -> [UInt8]? {
    guard principal.mayAsk(for: GeminiUpstream.answer), let account = job.record?.account,
      let request = try gateway.knownRequest(of: number),
      let order = ExtractOrder(request, of: account)
    else { return nil }
    let files = try order.files(in: gateway)
    var json = JSONWriter(capacity: 4_096 * files.count)
    json.beginArray()
    for (index, file) in files.enumerated() {
      if let result = try gateway.keptContent(order.result(index)) {
        json.raw(result)
      } else if UInt64(index) < job.progress.done {
        let detail = "its result was not read in time, or its key was destroyed"
        Problem(.gone, detail).write(file: file.name, to: &json)
      } else if job.state.isOpen {
        json.object { json in
          json.field("file", file.name)
          json.field("status", "waiting")
        }
      } else {
        let why = job.detail.isEmpty ? "" : ": \(job.detail)"
        var problem = Problem(.notReached, "the job ended before its turn came\(why)")
        problem.reason = "not_reached"
        problem.write(file: file.name, to: &json)
      }
    }
    json.endArray()
    return json.bytes
  }
}

extension Gateway {
  /// The request of a job; nil: it ended before the snapshot that the log goes on from.
  fileprivate func knownRequest(of number: Position) throws(LogError) -> [UInt8]? {
    do throws(LogError) { return try request(of: number) } catch {
      guard case .beforeBase = error else { throw error }
      return nil
    }
  }
}
