import ArgumentParser
import Foundation
import Keepa
import TollbookEvents
import TollbookGateway
import TollbookLog

/// `tollbook import`
struct MovingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Move in what a predecessor had bought, so that it is not paid for again.",
    subcommands: [KeepaCacheImport.self])
}

/// `tollbook import keepa-cache`
struct KeepaCacheImport: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keepa-cache",
    abstract: "Keep Keepa's products that were bought elsewhere, at no cost.",
    discussion: """
      Takes a file of SQLite with the table keepa_products_cache, or a folder of Keepa's \
      bodies or answers in files that end in .json. When a product was bought is told \
      by its row, its answer, or the time of its file, and from then on its freshness \
      counts. Nothing is bought, and what is given is only read. Where Tollbook runs it \
      is asked; to do it again brings nothing new.

        tollbook import keepa-cache keepa_products_cache.db --dry-run
        tollbook import keepa-cache bodies/ --domain 3
      """)

  @OptionGroup var place: PlaceFlags

  @Argument(help: ArgumentHelp("The file or the folder.", valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "The marketplace, by Keepa's number, of products that do not tell their own.",
      valueName: "number"))
  var domain = 1

  @Flag(help: "Say what would come in, and change nothing.")
  var dryRun = false

  func validate() throws {
    guard KeepaDomain(rawValue: domain) != nil else {
      let known = KeepaDomain.allCases.map { "\($0.rawValue) (\($0.name))" }
      throw ValidationError("--domain is one of \(known.joined(separator: ", ")).")
    }
  }

  func run() async throws {
    let settings = try await place.settings()
    // Before any folder is made or opened: a file that is none shall leave no trace.
    var source = try Source(file)
    Interrupt.watch()
    let place = try MovingPlace.open(settings, isTrial: dryRun)
    defer { place.close() }
    Console.say("\(file.inOneLine(atMost: 200)): \(source.description)")
    var tally = MovingTally()
    do { try await move(&source, to: place, &tally) } catch {
      Console.endProgress()
      if tally.seen > 0 { show(tally) }
      throw error
    }
    Console.endProgress()
    show(tally)
    if dryRun { Console.say("Nothing is changed: that was a dry run.") }
  }

  private func move(
    _ source: inout Source, to place: MovingPlace, _ tally: inout MovingTally
  ) async throws {
    guard let standard = KeepaDomain(rawValue: domain) else { return }
    var portions = Portions()
    while true {
      let found = try source.next(domain: standard, now: TimeSource.system.now())
      guard !found.isEmpty else { break }
      for product in tally.take(found) {
        if portions.drop(product.asin, in: product.domain) {
          tally.add(LeftOut(.superseded, product.asin.description))
        }
        if let full = portions.add(product) { try await bring(full, to: place, &tally) }
      }
      Console.progress(tally.seen.of("product"))
      try Interrupt.check()
    }
    for rest in portions.all { try await bring(rest, to: place, &tally) }
  }

  private func bring(
    _ products: [MovedProduct], to place: MovingPlace, _ tally: inout MovingTally
  ) async throws {
    let outcome = try await place.bring(products, isTrial: dryRun)
    tally.kept += outcome.kept
    tally.add(LeftOut(.known), count: outcome.known)
    tally.add(LeftOut(.tooOld), count: outcome.tooOld)
  }

  private func show(_ tally: MovingTally) {
    for line in tally.lines(isTrial: dryRun) { Console.say(line) }
  }
}

extension KeepaCacheImport {
  /// What is read: a table, or a folder.
  enum Source {
    case table(PredecessorTable)
    case folder(BodyFolder)

    init(_ path: String) throws {
      let files = FileManager.default
      guard files.fileExists(atPath: path) else { throw Refused("\(path) is not there.") }
      let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      switch try files.attributesOfItem(atPath: real)[.type] as? FileAttributeType {
      case .typeDirectory?: self = .folder(try BodyFolder(path: real))
      case .typeRegular?: self = .table(try PredecessorTable(path: path))
      default: throw Refused("\(path) is neither a file nor a folder.")
      }
    }

    var description: String {
      switch self {
      case .table(let table): table.description
      case .folder(let folder): folder.description
      }
    }

    mutating func next(domain: KeepaDomain, now: Timestamp) throws -> [Found] {
      switch self {
      case .table(var table):
        defer { self = .table(table) }
        return try table.next(domain: domain, now: now)
      case .folder(var folder):
        defer { self = .folder(folder) }
        return folder.next(domain: domain, now: now)
      }
    }
  }

  /// Products that wait until there are enough for a request, by marketplace.
  struct Portions {
    /// A request of so many bytes holds no more values than it may.
    private static let mostBytes = 8 << 20

    private var portions: [KeepaDomain: (products: [MovedProduct], bytes: Int)] = [:]

    /// What waits, by the numbers of the marketplaces.
    var all: [[MovedProduct]] {
      portions.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value.products)
    }

    /// Takes an older body of a product back.
    ///
    /// - Returns: whether there was one.
    mutating func drop(_ asin: KeepaASIN, in domain: KeepaDomain) -> Bool {
      guard let place = portions[domain]?.products.firstIndex(where: { $0.asin == asin }) else {
        return false
      }
      portions[domain]?.products.remove(at: place)
      return true
    }

    /// - Returns: a portion that is full, without the product that did not fit.
    mutating func add(_ product: MovedProduct) -> [MovedProduct]? {
      var portion = portions[product.domain] ?? ([], 0)
      var full: [MovedProduct]?
      if portion.products.count == ImportOrder.most
        || portion.bytes + product.body.count > Self.mostBytes && !portion.products.isEmpty
      {
        full = portion.products
        portion = ([], 0)
      }
      portion.products.append(product)
      portion.bytes += product.body.count
      portions[product.domain] = portion
      return full
    }
  }
}
