/// Whether a client takes gzip, by its `Accept-Encoding` (RFC 9110, section 12.5.3).
package func acceptsGzip(_ header: String?) -> Bool {
  var byStar: Bool?
  for element in header?.lowercased().split(separator: ",") ?? [] {
    let parts = element.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
    guard let name = parts.first else { continue }
    let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { $0.dropFirst(2) }
    let isAccepted = quality.map { (Double($0) ?? 0) > 0 } ?? true
    if name == "gzip" || name == "x-gzip" { return isAccepted }
    if name == "*" { byStar = isAccepted }
  }
  return byStar ?? false
}

/// Whether one of the entity tags of `If-None-Match` is one of these, or it is `*`. Compares weakly, as RFC 9110 says
/// for this header.
package func matches(ifNoneMatch header: String?, _ tags: [String]) -> Bool {
  guard let header else { return false }
  return header.split(separator: ",").contains { element in
    var tag = element.drop { $0 == " " || $0 == "\t" }
    while tag.last == " " || tag.last == "\t" { tag.removeLast() }
    if tag == "*" { return true }
    if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
    return tags.contains { $0 == tag }
  }
}

/// Whether a client asks for a table for a spreadsheet: the first type that its `Accept` names and that is sent is CSV.
package func wantsTable(_ accept: String?) -> Bool {
  for range in accept?.lowercased().split(separator: ",") ?? [] {
    let type = range.split(separator: ";").first.map { $0.filter { $0 != " " } } ?? ""
    if type == "text/csv" { return true }
    if type == "application/json" || type == "*/*" { return false }
  }
  return false
}
