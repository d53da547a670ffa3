import ArgumentParser
import TollbookLog
import TollbookViews

/// `tollbook rebuild`
struct RebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Drop every view and build it again from the events; Tollbook must not run.",
    discussion: """
      Cache, ledger and metrics are views: nothing is in them that the events do \
      not say. After a rebuild they hold the same bytes as before, unless something \
      was wrong with them.
      """)

  @OptionGroup var place: PlaceFlags

  func run() async throws {
    let settings = try await place.settings()
    let directory = try settings.ownExistingDataDirectory()
    let start = ContinuousClock.now
    let head = try Rebuild.allViews(of: directory, folds: allFolds, options: settings.log) {
      position, head in
      Console.progress("\(position.grouped) of \(head.grouped) events")
    }
    let duration = start.duration(to: .now)
    Console.endProgress()
    let rate = Int(Double(head) / max(duration.seconds, 0.001))
    Console.say(
      "Rebuilt all views from \(Int(head).of("event")) in \(duration.inSeconds)"
        + " (\(rate.grouped) events/s).")
  }
}
