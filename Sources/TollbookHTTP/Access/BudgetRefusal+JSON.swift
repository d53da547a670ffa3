package import JSONText
import TollbookArchive
package import TollbookGateway

extension BudgetRefusal {
  /// The members `budget`, `tag`, `window`, `limit`, `free` and `unit`.
  package func write(to json: inout JSONWriter) {
    json.field("budget", name)
    json.field("tag", tag.isEmpty ? nil : tag)
    json.field("window", window.isEmpty ? nil : window)
    json.amount("limit", limit, unit)
    json.amount("free", free, unit)
    json.field("unit", unit)
  }
}
