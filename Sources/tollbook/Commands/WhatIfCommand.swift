import ArgumentParser
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookHTTP
import TollbookLog

/// `tollbook what-if`
struct WhatIfCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "what-if",
    abstract: "Tell what the recorded demand would have cost with other windows of freshness.",
    discussion: """
      Plays everything that was asked for through a cache with the windows of each \
      policy. What the log decides is exact; what it only bounds is told as two \
      numbers. Reads the log also while Tollbook runs, and spends nothing.

      A policy sets windows of one kind: fresh, grace, errorgrace, keep, and for what \
      the upstream does not have absent.fresh, absent.grace, absent.errorgrace, \
      absent.keep. The others stay as they were recorded last. Days are those of UTC.

      The kinds are \(kindNames). \
      All policies of a call are of one kind: no figure adds two units.

      Examples:
        tollbook what-if --policy keepa.product.fresh=3d
        tollbook what-if --policy binance.ticker.fresh=5s
        tollbook what-if --policy keepa.product.fresh=3d \\
          --policy keepa.product.fresh=14d,grace=1d --from 2026-11-01
      """)

  @OptionGroup var place: PlaceFlags

  @Option(
    name: .customLong("policy"),
    help: ArgumentHelp(
      "Windows to try, such as keepa.product.fresh=14d,grace=1d; may be given many times.",
      valueName: "windows"))
  var policies: [String] = []

  @OptionGroup var range: RangeFlags

  @Option(help: "A table for people, JSON or comma-separated values for programs.")
  var format = Format.table

  func validate() throws {
    guard !policies.isEmpty else {
      throw ValidationError("Name a policy: --policy keepa.product.fresh=3d.")
    }
    do throws(WhatIfPolicy.Problem) {
      for text in policies {
        let kind = try WhatIfPolicy.kind(of: text, among: Systems.http.whatIf)
        _ = try WhatIfPolicy(text, of: kind, base: kind.standard)
      }
      _ = try kind()
    } catch { throw ValidationError("\(error).") }
    do throws(EventRangeProblem) { try EventRange.check(from: range.from, to: range.to) } catch {
      throw ValidationError("\(error).")
    }
  }

  private static var kindNames: String {
    let names = Systems.http.whatIf.map(\.name)
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  /// The kind of all policies.
  private func kind() throws(WhatIfPolicy.Problem) -> WhatIfKind {
    var kinds: [WhatIfKind] = []
    for text in policies {
      let kind = try WhatIfPolicy.kind(of: text, among: Systems.http.whatIf)
      if !kinds.contains(where: { $0.name == kind.name }) { kinds.append(kind) }
    }
    guard kinds.count == 1, let kind = kinds.first else {
      throw WhatIfPolicy.Problem(
        description: "the policies are of \(kinds.map(\.name).joined(separator: " and ")), which"
          + " may be paid in different units; try one kind at a time")
    }
    return kind
  }

  func run() async throws {
    let settings = try await place.settings()
    let source = try LogOnDisk(settings).source
    var question = WhatIf.Question(try kind())
    question.overdraft = settings.gateway.overdraft
    do throws(any Error) {
      let asked = try EventRange(from: range.from, to: range.to, in: source)
      question.after = asked.after
      question.through = asked.through
    } catch let problem as EventRangeProblem { throw ValidationError("\(problem).") }
    Interrupt.watch()
    let report = try await report(question, source)
    let page = WhatIfPage(report)
    switch format {
    case .table: for line in page.lines { Console.say(line) }
    case .csv: for line in page.csv { Console.say(line) }
    case .json: Console.say(page.json)
    }
  }

  private func report(
    _ question: WhatIf.Question, _ source: LogSource
  ) async throws -> WhatIfReport {
    var meter = ProgressMeter(unit: "events")
    defer { meter.end() }
    let record = try WhatIf.read(source, question) { position, end in
      meter.show(done: position, of: end)
      return !Interrupt.isRequested
    }
    guard let record else { throw Interrupt.status }
    let tried = try policies.map { try WhatIfPolicy($0, of: question.kind, base: record.policy) }
    meter.end()
    let report = await WhatIf.play(
      record, tried,
      progress: {
        Console.progress("played \($0) of \((tried.count + 1).of("policy", "policies"))")
      },
      while: { !Interrupt.isRequested })
    Console.endProgress()
    guard let report else { throw Interrupt.status }
    return report
  }
}
