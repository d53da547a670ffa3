package import HTTPTypes

extension HTTPFields {
  /// Takes over fields, in the place of those of the same names.
  package mutating func set(_ fields: HTTPFields) {
    for field in fields { self[field.name] = field.value }
  }
}
