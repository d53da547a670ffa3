import ArgumentParser
import JSONText
import NIOCore
import NIOHTTP1
import TollbookArchive
import TollbookLog
import TollbookViews
import TollbookEvents

/// `tollbook rebuild`
struct RebuildCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild",
    abstract: "Build every view again from the events, also while Tollbook runs.",
    discussion: """
      Cache, ledger and metrics are views: nothing is in them that the events do \
      not say. After a rebuild they hold the same bytes as before, unless something \
      was wrong with them.

      Where a Tollbook owns the directory it is asked: it builds the views anew \
      beside those that it serves, compares them, says what differed, and switches \
      in one step. No read fails meanwhile; until it ends the disk holds the views \
      three times.
      """)

  @OptionGroup var place: PlaceFlags

  func run() async throws {
    let settings = try await place.settings()
    let path = try settings.existingDataDirectory
    if let answer = try await Owner.ask(directory: path, path: "/rebuild", body: { _ in }) {
      try await follow(answer, in: path)
    } else {
      try await rebuild(settings)
    }
  }

  // MARK: By the owner

  /// Waits until the owner is done, and says what it found.
  private func follow(_ first: JSONDocument, in path: String) async throws {
    Interrupt.watch()
    let start = ContinuousClock.now
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    var answer = first
    while answer.root["state"]?.string == "running" {
      if Interrupt.isRequested {
        meter.end()
        Console.note("The Tollbook that runs goes on with the rebuild.")
        throw Interrupt.status
      }
      meter.begin(answer.root["step"]?.string ?? "")
      meter.show(
        done: answer.root["position"]?.uint64 ?? 0, of: answer.root["head"]?.uint64 ?? 0)
      try await Task.sleep(for: .milliseconds(50))
      guard
        let next = try await Owner.ask(directory: path, method: .GET, path: "/rebuild")
      else {
        throw Refused(
          "The Tollbook that was rebuilding the views has ended; they are as they were.")
      }
      answer = next
    }
    meter.end()
    let duration = start.duration(to: .now)
    guard answer.root["state"]?.string == "done" else {
      throw Refused("\(answer.root["detail"]?.string ?? "the rebuild has ended").")
    }
    say(answer, duration)
  }

  private func say(_ answer: JSONDocument, _ duration: Duration) {
    let events = answer.root["position"]?.uint64 ?? 0
    let hold = Double(answer.root["longest_hold_us"]?.int ?? 0) / 1_000
    Console.say(
      "Rebuilt all views from \(Int(events).of("event")) in \(duration.inSeconds)"
        + " (\(Self.rate(events, duration)) events/s) while they were served.")
    Console.say(
      "The writer was held \((answer.root["holds"]?.int ?? 0).of("time")), for"
        + " \((hold * 10).rounded() / 10) ms at most, flushes not counted.")
    let views = answer.root["views"]?.array.map(Array.init) ?? []
    for view in views {
      guard let table = view["differing_table"]?.string, let name = view["view"]?.string else {
        continue
      }
      Console.say(
        "\(name) was damaged: table \(table) differed first at key"
          + " \(view["differing_key"]?.string ?? ""). It is repaired.")
    }
    if answer.root["equal"]?.bool == true {
      Console.say("The views that were served before were the same, row by row.")
    }
  }

  // MARK: Here

  private func rebuild(_ settings: Settings) async throws {
    let directory = try settings.ownExistingDataDirectory()
    let start = ContinuousClock.now
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let head: UInt64
    do throws(RebuildError) {
      head = try Rebuild.allViews(
        of: directory, folds: allFolds, options: settings.log,
        baseRows: EventLog.baseRows(in: directory.path)
      ) { position, head in meter.show(done: position, of: head) }
    } catch {
      if case .withoutBase = error { throw Refused("\(error).") }
      throw error
    }
    meter.end()
    let duration = start.duration(to: .now)
    Console.say(
      "Rebuilt all views from \(Int(head).of("event")) in \(duration.inSeconds)"
        + " (\(Self.rate(head, duration)) events/s).")
  }

  private static func rate(_ events: UInt64, _ duration: Duration) -> String {
    Int(Double(events) / max(duration.seconds, 0.001)).grouped
  }
}
