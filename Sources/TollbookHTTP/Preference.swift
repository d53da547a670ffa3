package import Hummingbird

/// What a client would like of how its request is carried out (RFC 7240).
package enum Preference {
  /// Not to wait for the result, but to be told where it will be.
  package static let respondAsync = "respond-async"

  /// Whether a request states a preference. What it says of other ones is not looked at.
  package static func states(_ preference: String, _ headers: HTTPFields) -> Bool {
    headers[values: .prefer].contains { field in
      field.split(separator: ",").contains { element in
        let name = element.prefix { $0 != ";" && $0 != "=" }
        return name.filter { $0 != " " && $0 != "\t" }.lowercased() == preference
      }
    }
  }
}
