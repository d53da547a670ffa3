import ArgumentParser
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

extension ReplayView: ExpressibleByArgument {}

/// `tollbook replay`
struct ReplayCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Show the views as they stood at any moment, also while Tollbook runs.",
    discussion: """
      Folds the event log from its beginning up to a position or an instant, in a \
      temporary folder, and shows what the views said then. Without \
      --view it shows a summary, with a digest of each view and of the whole \
      state; that of `verify` or a snapshot of the same position is the same. A day \
      is that of UTC, and means its end.

      Examples:
        tollbook replay --until 2026-11-03T14:03:00Z --view ledger
        tollbook replay --until 412 --view cache --format csv
      """)

  @OptionGroup var place: PlaceFlags

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Up to this position, or everything that had happened at this instant.",
      valueName: "position or time"))
  var until: Moment?

  @Option(help: "One view in full: cache, ledger, metrics or rollups.")
  var view: ReplayView?

  @Option(
    help: "A table for people (cells between tabs in a pipe), or json or csv for programs.")
  var format = Format.table

  func run() async throws {
    let settings = try await place.settings()
    let log = try LogOnDisk(settings)
    Interrupt.watch()
    let source = log.source
    let moment = try Self.moment(until, in: source)
    let replay = try ScratchReplay(
      of: source, folds: view.map { [$0.fold] } ?? allFolds,
      loadBase: ScratchReplay.loadBase(from: log.directory.path))
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    try replay.run(to: moment.position) { position in
      meter.show(done: position, of: moment.position)
      return !Interrupt.isRequested
    }
    meter.end()
    try Interrupt.check()
    let listings = ReplayListings(replay: replay, time: moment.time)
    if let view {
      try show(listings.listings(of: view), moment, state: nil)
    } else {
      let digests = try replay.digests()
      let root = try source.root(at: moment.position)
      let state = StateDigest(position: moment.position, root: root, views: digests)
      try show(
        [listings.meters, listings.cacheSummary(), listings.metrics, listings.views(digests)],
        moment, state: state)
    }
  }

  /// The last position, and the instant as of which entries are fresh or not.
  private static func moment(
    _ until: Moment?, in source: LogSource
  ) throws -> (position: Position, time: Timestamp) {
    let position: Position
    if let until {
      do {
        if case .position(let wanted) = until { try EventRange.check(wanted, in: source) }
      } catch let problem as EventRangeProblem { throw ValidationError("\(problem).") }
      position = try until.position(in: source)
    } else {
      position = try source.head()
    }
    if let time = until?.end(in: .utc, now: TimeSource.system.now()) { return (position, time) }
    return (position, try source.time(of: position))
  }

  private func show(
    _ listings: [Listing], _ moment: (position: Position, time: Timestamp), state: StateDigest?
  ) throws {
    switch format {
    case .table where Console.isTerminal:
      Console.say("As of position \(moment.position.grouped), \(moment.time)")
      for listing in listings { try listing.printTable() }
      if let state { Console.say("\nstate  \(state)") }
    case .table:
      for listing in listings { try listing.printPlain() }
      if let state { Console.put("state  \(state)\n") }
    case .csv:
      for (number, listing) in listings.enumerated() {
        if number > 0 { Console.put("\r\n") }
        try listing.printCSV()
      }
    case .json:
      var json = JSONWriter()
      json.beginObject()
      json.field("position", moment.position)
      json.field("time", moment.time.description)
      for listing in listings { try listing.write(to: &json) }
      json.fieldIfPresent("state", state?.description)
      json.endObject()
      Console.say(json.string)
    }
  }
}
