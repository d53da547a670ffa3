import JSONText

/// A member of an object in the schema that a model is sent.
struct InvoiceSchemaMember: Sendable {
  indirect enum Kind: Sendable {
    /// Text of any kind; dates and amounts too.
    case text
    /// One of these words.
    case word([String])
    case object([InvoiceSchemaMember])
    /// An array of objects.
    case list([InvoiceSchemaMember])
  }

  let name: String
  let kind: Kind
  /// What a model is told.
  let description: String
  /// Whether a model must write it, if only as null.
  let isRequired: Bool

  init(
    _ name: String, _ description: String, _ kind: Kind = .text, isRequired: Bool = true
  ) {
    self.name = name
    self.kind = kind
    self.isRequired = isRequired
    self.description = description
  }
}

// Source of the words: the API reference of generateContent, `Schema`, an OpenAPI 3.0 subset with types in capitals.

extension InvoiceSchemaMember: JSONWritable {
  func write(to json: inout JSONWriter) {
    json.object { json in
      switch kind {
      case .text:
        json.field("type", "STRING")
        json.field("description", description)
        json.field("nullable", true)
      case .word(let words):
        json.field("type", "STRING")
        json.field("description", description)
        json.field("nullable", true)
        json.array("enum", words)
      case .object(let members):
        members.writeObject(to: &json, description)
      case .list(let members):
        json.field("type", "ARRAY")
        json.field("description", description)
        json.object("items") { json in members.writeObject(to: &json, nil) }
      }
    }
  }
}

extension [InvoiceSchemaMember] {
  var names: [String] { map(\.name) }

  /// What an object with these members is, as members of a JSON object.
  func writeObject(to json: inout JSONWriter, _ description: String?) {
    json.field("type", "OBJECT")
    json.fieldIfPresent("description", description)
    json.object("properties") { json in
      for member in self { json.field(member.name, member) }
    }
    json.array("required", filter(\.isRequired).names)
    json.array("propertyOrdering", names)
  }
}
