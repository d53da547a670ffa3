import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension DropIn {
  /// Keepa's clients put the key into the query, and read errors from an envelope.
  static let keepa = DropIn(
    hosts: ["api.keepa.com"], root: "/keepa",
    owns: { path in
      let steps = path.split(separator: "/")
      guard steps.first == "keepa", let name = steps.last else { return false }
      let hasOptions = steps.count == 3 && steps[1].first.map { $0 == "~" || $0 == "%" } ?? false
      return (steps.count == 2 || hasOptions) && names.contains(String(name))
    },
    shownKey: { request in
      formItems(request.uri.query ?? "").first { $0.name == "key" }?.value
    },
    answer: { problem, service in
      let isKey = problem.kind == .unauthorized
      let refusal = KeepaRefusal(
        isKey ? 402 : problem.status.code,
        isKey ? "unauthorized" : problem.kind.map(word) ?? "unavailable", problem.detail)
      // Who shows no key is told nothing of the balance.
      let forecast = BucketForecast(unknownAt: service.log.time.now())
      return KeepaReply(refusal).response(forecast, processing: .zero)
    })

  /// A kind of problem in Keepa's way of writing: `methodNotAllowed`.
  private static func word(_ kind: Problem.Kind) -> String {
    let words = kind.name.split(separator: "-")
    return words.dropFirst().reduce(String(words.first ?? "")) { text, word in
      text + word.prefix(1).uppercased() + word.dropFirst()
    }
  }

  private static let names = Set(KeepaEndpoint.allCases.map(\.rawValue) + ["product", "token"])
}
