import Hummingbird
import JSONText
import TollbookEvents
import TollbookHTTP

extension DocumentReader.Reading {
  /// The look that was taken.
  private var look: DocumentReader.Look { looks[taken] }

  /// Writes what was read, in the form of `ExtractAnswer.schema.json`.
  ///
  /// - Parameter currency: of the cost.
  func write(_ currency: String, isNamed: Bool, to json: inout JSONWriter) {
    json.object { json in
      if isNamed { json.field("file", name) }
      json.field("document_type", fields.documentType?.rawValue)
      json.field("fields", fields)
      json.array("checks", checks)
      json.field("pages", facts.pages)
      json.field("model", look.model)
      looks.writeCost(currency, to: &json)
      json.field("credential", look.credential)
      json.field("source", isHit ? "cache" : "gemini_api")
      json.field("cache_hit", isHit)
      if looks.count > 1 || secondProblem != nil {
        json.object("second_look") { json in writeSecondLook(currency, to: &json) }
      } else {
        json.nullField("second_look")
      }
    }
  }

  /// Writes which looks there were, and which was taken.
  private func writeSecondLook(_ currency: String, to json: inout JSONWriter) {
    json.field("taken", taken == 0 ? "first" : "second")
    json.array("looks", looks) { json, look in
      json.object { json in
        json.field("model", look.model)
        [look].writeCost(currency, to: &json)
        json.field("credential", look.credential)
        json.field("source", look.isHit ? "cache" : "gemini_api")
        json.field("cache_hit", look.isHit)
        if let checks = look.checks {
          json.array("failed_checks", checks.brokenRules.map(\.rawValue))
        } else {
          json.nullField("failed_checks")
        }
      }
    }
    if let secondProblem {
      json.object("error") { json in secondProblem.writeMembers(to: &json) }
    } else {
      json.nullField("error")
    }
  }
}

extension [DocumentReader.Look] {
  /// Writes what all of them together used and cost.
  fileprivate func writeCost(_ currency: String, to json: inout JSONWriter) {
    func sum(_ part: (GeminiUsage) -> Int64) -> Int64 { reduce(0) { $0 &+ part($1.usage) } }
    json.object("tokens") { json in
      json.field("prompt", sum(\.prompt))
      json.field("cached", sum(\.cached))
      json.field("candidates", sum(\.candidates))
      json.field("thoughts", sum(\.thoughts))
      json.field("tool", sum(\.toolUse))
      json.field("total", sum(\.tokens))
    }
    let known = GeminiPrice.Estimate.allCases
    let estimates = known.filter { estimate in contains { $0.estimates.contains(estimate) } }
    json.object("cost") { json in
      json.field("amount", DecimalText.text(nanoUnits: reduce(0) { $0 &+ $1.nanoUnits }))
      json.field("currency", currency)
      json.field("estimated", !estimates.isEmpty)
      json.field("estimated_because", estimates.text)
    }
  }
}

extension Problem {
  /// Writes that a document of several was not read, and why.
  func write(file: String, to json: inout JSONWriter) {
    json.object { json in
      json.field("file", file)
      json.object("error") { json in writeMembers(to: &json) }
    }
  }

  /// Writes why something came to nothing.
  fileprivate func writeMembers(to json: inout JSONWriter) {
    json.field("type", kind.map { "/problems/\($0.name)" } ?? "about:blank")
    json.field("status", status.code)
    json.field("detail", detail)
    json.fieldIfPresent("reason", reason)
    json.fieldIfPresent("retry_at", retryAt?.description)
  }
}

/// What became of the documents of one request, in their order.
struct ExtractResults: Sendable {
  var results: [(file: String, result: Result<DocumentReader.Reading, Problem>)]
  let currency: String

  /// One document as an object, or the problem with it; several as an array, each with its name, and with its error where
  /// it has one.
  func response(position: Position) throws(Problem) -> Response {
    var json = JSONWriter(capacity: 4_096 * results.count)
    if results.count == 1, let only = results.first {
      try only.result.get().write(currency, isNamed: false, to: &json)
    } else {
      json.array { json in
        for (file, result) in results {
          switch result {
          case .success(let reading): reading.write(currency, isNamed: true, to: &json)
          case .failure(let problem): problem.write(file: file, to: &json)
          }
        }
      }
    }
    var headers: HTTPFields = [.contentType: "application/json", .position: "\(position)"]
    headers[.charge] = "\(sum(\.spent.charge, .charge))"
    headers.tell(inDoubt: sum(\.spent.inDoubt, .chargeInDoubt))
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }

  private func sum(
    _ part: (DocumentReader.Reading) -> Int64, _ header: HeaderName
  ) -> Int64 {
    results.reduce(0) { sum, item in
      switch item.result {
      case .success(let reading): sum &+ part(reading)
      case .failure(let problem): sum &+ (problem.headers[header].flatMap { Int64($0) } ?? 0)
      }
    }
  }
}
