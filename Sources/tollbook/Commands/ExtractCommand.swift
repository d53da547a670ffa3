import ArgumentParser
import Extraction
import Foundation
import JSONText
import TollbookEvents

/// `tollbook extract`
struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Have a folder of invoices read, as a table.",
    discussion: """
      Has each PDF, PNG, JPEG and WebP of a folder read by a model, in the order of their \
      names, and prints a line of CSV for each. What was read before costs nothing, so \
      that a run that was interrupted can be begun again. A company pays. What is refused \
      is told on standard error, document by document; where no other would be taken \
      either, such as without a Tollbook or with a wrong access key, that is told once. A \
      budget that is used up ends nothing: what was read before is free.

      Example:
        tollbook extract ./invoices --company acme --user ann > invoices.csv
      """)

  private static let types = [
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg",
    "webp": "image/webp",
  ]

  @Option(help: ArgumentHelp("Where Tollbook is.", valueName: "address"))
  var url = "http://127.0.0.1:8000"
  @Option(help: ArgumentHelp("The account that pays.", valueName: "account")) var company: String
  @Option(help: ArgumentHelp("Who asks, for the record.", valueName: "name")) var user: String?
  @Option(help: ArgumentHelp("For which branch, for the record.", valueName: "name"))
  var branch: String?
  @Argument(help: ArgumentHelp("The folder, or a single file.", valueName: "folder"))
  var folder: String

  func run() async throws {
    let files = try Self.files(in: folder)
    let client = try ServiceClient(url)
    var failed = 0
    var (bought, estimated, cached, nanoUnits) = (0, 0, 0, Int64(0))
    var looks = SecondLooks()
    var currency = ""
    Console.put(InvoiceCSV.header)
    for (number, file) in files.enumerated() {
      let name = URL(filePath: file).lastPathComponent
      do {
        let answer = try JSONDocument(try await client.post("/extract", form: try form(file, name)))
          .root
        guard let json = answer["fields"] else {
          throw Refused("\(name): no fields were answered.")
        }
        let fields = try InvoiceFields(json: json)
        Console.put(InvoiceCSV.row(file: name, fields, InvoiceChecks.all(of: fields)))
        if answer["cache_hit"]?.bool == true { cached += 1 } else { bought += 1 }
        if answer["cost"]?["estimated"]?.bool == true { estimated += 1 }
        looks.add(answer["second_look"])
        nanoUnits += answer["cost"]?["amount"]?.string.flatMap(DecimalText.nanoUnits) ?? 0
        currency = answer["cost"]?["currency"]?.string ?? currency
      } catch let refused as Refused where refused.isOfAll {
        failed += files.count - number
        Console.note("\(refused)")
        break
      } catch let refused as Refused {
        failed += 1
        // The service names a file that it does not take.
        let (place, why) = ("\(name.inOneLine()): ", "\(refused)")
        Console.note(why.hasPrefix(place) ? why : place + why)
      }
      Console.progress("\((number + 1).grouped) of \(files.count.grouped) documents")
      Console.flush()
    }
    Console.endProgress()
    Console.note(
      "\(bought.grouped) read"
        + (currency.isEmpty ? "" : " for \(DecimalText.text(nanoUnits: nanoUnits)) \(currency)")
        + (estimated > 0 ? " (\(estimated.grouped) of them estimated)" : "")
        + ", \(cached.grouped) known, \(failed.grouped) failed.\(looks.sentence)")
    if failed > 0 { throw ExitCode(1) }
  }

  /// The second looks of a run.
  private struct SecondLooks {
    private var count = 0
    private var taken = 0
    private var missed = 0

    /// - Parameter json: the member of an answer; nil or null: there was none.
    mutating func add(_ json: JSONValue?) {
      guard let json, json.kind == .object else { return }
      count += 1
      if json["taken"]?.string == "second" { taken += 1 }
      if json["error"]?.kind == .object { missed += 1 }
    }

    /// With a blank before it; empty: there were none.
    var sentence: String {
      guard count > 0 else { return "" }
      let had = "\((count - missed).grouped) read once more, \(taken.grouped) of them better"
      return " \(had)" + (missed > 0 ? "; \(missed.grouped) second looks came to nothing." : ".")
    }
  }

  /// The documents of a folder in the order of their names; of a file that file.
  private static func files(in path: String) throws -> [String] {
    guard let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] else {
      throw Refused("there is nothing at \(path).")
    }
    guard type as? FileAttributeType == .typeDirectory else { return [path] }
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { name in
      types[URL(filePath: name).pathExtension.lowercased()] != nil
    }
    guard !names.isEmpty else { throw Refused("there is no PDF, PNG, JPEG or WebP in “\(path)”.") }
    return names.sorted().map { "\(path)/\($0)" }
  }

  private func form(_ file: String, _ name: String) throws -> [ServiceClient.FormPart] {
    guard let content = FileManager.default.contents(atPath: file) else {
      throw Refused("\(name) cannot be read.")
    }
    var parts = [ServiceClient.FormPart("companyID", Array(company.utf8))]
    if let user { parts.append(.init("username", Array(user.utf8))) }
    if let branch { parts.append(.init("branch", Array(branch.utf8))) }
    let type = Self.types[URL(filePath: file).pathExtension.lowercased()]
    parts.append(.init("file", [UInt8](content), fileName: name, type: type))
    return parts
  }
}
