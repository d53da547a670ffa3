import Logging
import Synchronization
import TollbookEvents

/// Parameters that nobody knows, each told once in the diagnostics.
final class UnknownParameters: Sendable {
  /// Those beyond are not told: somebody makes them up.
  private static let most = 100

  private let told = Mutex<Set<String>>([])

  func note(_ names: [String], _ logger: Logger) {
    let new = told.withLock { told in
      names.filter { told.count < Self.most && told.insert($0).inserted }
    }
    guard !new.isEmpty else { return }
    logger.notice(
      "parameters that are not known go on to Keepa, and the answers are not kept",
      metadata: ["parameters": "\(new.joined(separator: ",").inOneLine(atMost: 500))"])
  }
}
