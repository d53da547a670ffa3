import Hummingbird
import JSONText
import TollbookEvents

/// A page of one of the predecessor's tables and views: rows of named columns, as JSON or as a table for a spreadsheet
/// (RFC 4180).
struct ViewTable {
  enum Cell: Hashable {
    case text(String)
    case number(Int64)
    /// Money as decimal text.
    case money(Int64)
    case time(Timestamp)
    case nothing

    /// Of an amount of a unit.
    static func amount(_ count: Int64, _ unit: String) -> Cell {
      Amount.isMoney(unit) ? .money(count) : .number(count)
    }

    /// Of a text that may be missing.
    static func optional(_ text: String?) -> Cell {
      guard let text, !text.isEmpty else { return .nothing }
      return .text(text)
    }
  }

  let name: String
  let columns: [String]
  var rows: [[Cell]] = []
  /// The cursor of the next page; nil: there is none.
  var next: String?
  /// What the page reflects.
  var position: Position = 0

  init(_ name: String, _ columns: [String]) {
    self.name = name
    self.columns = columns
  }

  func response(_ request: Request) -> Response {
    wantsTable(request.headers[.accept]) ? table : json
  }

  private var json: Response {
    .object(position: position, capacity: 256 * (rows.count + 1)) { json in
      json.field("view", name)
      json.array("rows", rows) { json, row in
        json.object { json in
          for (column, cell) in zip(columns, row) {
            switch cell {
            case .text(let text): json.field(column, text)
            case .number(let number): json.field(column, number)
            case .money(let amount): json.field(column, DecimalText.text(nanoUnits: amount))
            case .time(let time): json.field(column, time)
            case .nothing: json.nullField(column)
            }
          }
        }
      }
      json.field("next", next)
    }
  }

  private var table: Response {
    var text = columns.joined(separator: ",") + "\r\n"
    for row in rows {
      text += row.map { CSVCell.quoted(Self.text($0)) }.joined(separator: ",") + "\r\n"
    }
    var headers: HTTPFields = [
      .contentType: "text/csv;charset=utf-8", .position: "\(position)",
    ]
    if let next { headers[.link] = "<?cursor=\(next)>; rel=\"next\"" }
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
  }

  private static func text(_ cell: Cell) -> String {
    switch cell {
    case .text(let text): text
    case .number(let number): "\(number)"
    case .money(let amount): DecimalText.text(nanoUnits: amount)
    case .time(let time): time.description
    case .nothing: ""
    }
  }
}
