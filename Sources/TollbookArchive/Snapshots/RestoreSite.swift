import Files
import Foundation
import TollbookLog

/// Where a data directory is put together before it gets its name: a folder beside the target.
struct RestoreSite {
  let target: String
  /// The folder to build in.
  let path: String

  /// Looks whether the target may be restored to, and takes away what restores that were cut short left beside it.
  init(target: String) throws(RestoreProblem) {
    var trimmed = target
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.target = trimmed
    let beginning = "\((trimmed as NSString).lastPathComponent).restoring-"
    let parent = DurableNames.parent(of: trimmed)
    path = "\(trimmed).restoring-\(UUID().uuidString.prefix(8).lowercased())"
    try checkTarget()
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for name in names where name.hasPrefix(beginning) {
      let leftover = "\(parent)/\(name)"
      guard !DataDirectory.isOwned(leftover) else { throw .underWay(leftover) }
      do { try FileManager.default.removeItem(atPath: leftover) } catch {
        throw .unwritable(leftover, reason: error.reason)
      }
    }
  }

  private func checkTarget() throws(RestoreProblem) {
    guard FileManager.default.fileExists(atPath: target) else { return }
    let names = try? FileManager.default.contentsOfDirectory(atPath: target)
    guard let names, names.isEmpty else { throw .holdsData(target) }
  }

  /// Gives the folder its name, when everything in it is on the disk.
  func finish() throws(RestoreProblem) {
    if let problem = DurableNames.synchronize(path) { throw .unwritable(path, reason: problem) }
    try checkTarget()
    if let problem = DurableNames.rename(path, to: target) {
      throw .unwritable(target, reason: problem)
    }
  }

  /// Takes away what was built.
  func discard() { try? FileManager.default.removeItem(atPath: path) }
}
