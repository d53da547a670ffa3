import Foundation
import JSONText
import TollbookEvents

/// Rows with named columns, on their way out: to a person, a pipe, or a program that reads JSON or CSV.
struct Listing {
  /// What stands in a column of a row.
  enum Cell {
    case text(String)
    case number(Int64)
    case instant(Timestamp?)
  }

  struct Column {
    /// As programs know it, such as `in_doubt`.
    let name: String
    let isNumber: Bool

    static func text(_ name: String) -> Column { Column(name: name, isNumber: false) }
    static func number(_ name: String) -> Column { Column(name: name, isNumber: true) }

    /// As people read it, such as `IN DOUBT`.
    var heading: String { name.uppercased().split(separator: "_").joined(separator: " ") }
  }

  /// As programs know it, such as `meters`.
  let name: String
  let columns: [Column]
  /// Hands out the rows one after the other, so that a million of them need no memory.
  let rows: (_ row: ([Cell]) -> Void) throws -> Void
}

/// The ways in which a listing is printed.
enum ListingFormat: String, CaseIterable {
  case table, json, csv
}

extension Listing {
  /// Columns as wide as need be, with a heading: for a terminal.
  func printTable() throws {
    var table = TextTable(
      columns.map { $0.isNumber ? .right : .left }, heading: columns.map(\.heading))
    var count = 0
    try rows { row in
      table.add(row.map(\.forPeople))
      count += 1
    }
    Console.say()
    Console.say(Console.strong(name.capitalized))
    guard count > 0 else { return Console.say("  none") }
    for line in table.lines(indent: 2) { Console.put(line + "\n") }
  }

  /// One row a line, cells between tabs and the listing's name before them, and the heading before the first one: for a
  /// pipe.
  func printPlain() throws {
    var isFirst = true
    try rows { row in
      if isFirst {
        let heading = [name.uppercased()] + columns.map(\.heading)
        Console.put(heading.joined(separator: "\t") + "\n")
      }
      isFirst = false
      Console.put(([name] + row.map(\.plain)).joined(separator: "\t") + "\n")
    }
  }

  /// RFC 4180, the names of the columns first.
  func printCSV() throws {
    Console.put(columns.map(\.name).joined(separator: ",") + "\r\n")
    try rows { row in
      Console.put(row.map(\.quoted).joined(separator: ",") + "\r\n")
    }
  }

  /// An array of objects.
  func write(to json: inout JSONWriter) throws {
    var lines = JSONWriter()
    lines.beginArray()
    try rows { row in
      lines.object { json in
        for (column, cell) in zip(columns, row) { cell.write(column.name, to: &json) }
      }
    }
    lines.endArray()
    json.rawField(name, lines.bytes)
  }
}

extension Listing.Cell {
  fileprivate var forPeople: String {
    switch self {
    case .text(let text): text
    case .number(let number): number.grouped
    case .instant(let instant): instant?.description ?? "–"
    }
  }

  fileprivate var plain: String {
    switch self {
    case .text(let text): text.inOneLine()
    case .number(let number): String(number)
    case .instant(let instant): instant?.description ?? ""
    }
  }

  fileprivate var quoted: String {
    let text =
      switch self {
      case .text(let text): text
      case .number(let number): String(number)
      case .instant(let instant): instant?.description ?? ""
      }
    guard text.contains(where: { ",\"".contains($0) || $0.isNewline }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  fileprivate func write(_ name: String, to json: inout JSONWriter) {
    switch self {
    case .text(let text): json.field(name, text)
    case .number(let number): json.field(name, number)
    case .instant(let instant): json.field(name, instant?.description)
    }
  }
}
