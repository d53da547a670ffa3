import ArgumentParser
import JSONText
import NIOHTTP1
import TollbookAudit
import TollbookEvents

/// `tollbook correct`
struct CorrectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "correct",
    abstract: "Correct a charge that was found wrong, with a reason.",
    discussion: """
      The charge stays, and the difference is posted beside it: on the meter that told the \
      cost, and on every budget that counted the charge. `tollbook events --kind \
      TokensCharged` tells the positions of charges.

        tollbook correct --position 1041 --units -30 --reason "billed once, booked twice"
        tollbook correct --position 2210 --units -0.50 --unit EUR --reason "credit note 17"
      """)

  @OptionGroup var place: PlaceFlags

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The charge: the position of its TokensCharged.", valueName: "position"),
    transform: wholeNumber(from: 1))
  var position: UInt64

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "By how much, with its sign: a whole number, and of money with up to nine decimals.",
      valueName: "amount"))
  var units: String

  @Option(
    help: ArgumentHelp(
      "Of which unit, such as tokens, if the charge tells several.", valueName: "unit"))
  var unit: String?

  @Option(help: ArgumentHelp("Why, for whoever reads the log.", valueName: "text"))
  var reason: String

  func run() async throws {
    let answer = try await AdminCalls(settings: place.settings()).ask(
      .POST, "/admin/corrections"
    ) { json in
      json.field("position", position)
      json.field("units", units)
      json.fieldIfPresent("unit", unit)
      json.field("reason", reason)
    }
    let written = answer.root["position"]?.int64 ?? 0
    let move = answer.root["data"]?["moves"]?[0]
    let amount = Amount(move?["amount"]?.int64 ?? 0, move?["meter"]?["unit"]?.string ?? "")
    let limits = (answer.root["data"]?["moves"]?.array?.count ?? 1) - 1
    Console.say(
      "The charge at position \(position) is corrected by \(amount.text), at position"
        + " \(written)\(limits > 0 ? ", also on \(limits.of("budget"))" : "").")
  }
}
