import JSONText

/// The form that an answer must have: the provider's subset of OpenAPI or a JSON Schema.
///
/// Keywords other than those read here are ignored, as the provider ignores what it does not know.
struct GeminiSchema: Sendable {
  private let root: JSONValue

  /// How deeply schemas may be nested; deeper ones are refused.
  private static let deepest = 32

  private static let types: Set<String> = [
    "string", "number", "integer", "boolean", "array", "object", "null", "type_unspecified",
  ]

  /// Bytes of the schema as it was sent.
  var length: Int { root.bytes.count }

  /// Checks a schema.
  ///
  /// - Parameters:
  ///   - isJSONSchema: whether types may be lists and arrays may say nothing of their items
  ///   - path: where it stands in the request
  init(_ value: JSONValue, isJSONSchema: Bool, at path: String) throws(GeminiError) {
    root = value
    try Self.check(value, isJSONSchema: isJSONSchema, at: path, depth: 0)
  }

  private static func check(
    _ schema: JSONValue, isJSONSchema: Bool, at path: String, depth: Int
  ) throws(GeminiError) {
    guard schema.kind == .object else {
      // `true` and `false` are schemas, too.
      if isJSONSchema && schema.kind == .bool && depth > 0 { return }
      throw .invalid(path, "must be an object, not \(schema.kind)")
    }
    guard depth < deepest else { throw .invalid(path, "the schema is nested too deeply") }
    try checkType(schema, isJSONSchema: isJSONSchema, at: path)
    for name in ["properties", "$defs", "defs"] {
      guard let members = schema[name] else { continue }
      guard let members = members.members else {
        throw .invalid("\(path).\(name)", "must be an object, not \(members.kind)")
      }
      for member in members {
        try check(
          member.value, isJSONSchema: isJSONSchema, at: "\(path).\(name)[\(member.name)]",
          depth: depth + 1)
      }
    }
    if let items = schema["items"] {
      try check(items, isJSONSchema: isJSONSchema, at: "\(path).items", depth: depth + 1)
    }
    for name in ["anyOf", "any_of", "oneOf"] {
      guard let choices = schema[name] else { continue }
      guard let choices = choices.array, !choices.isEmpty else {
        throw .invalid("\(path).\(name)", "must be an array that is not empty")
      }
      for (index, choice) in choices.enumerated() {
        try check(
          choice, isJSONSchema: isJSONSchema, at: "\(path).\(name)[\(index)]", depth: depth + 1)
      }
    }
  }

  private static func checkType(
    _ schema: JSONValue, isJSONSchema: Bool, at path: String
  ) throws(GeminiError) {
    guard let type = schema["type"], !type.isNull else { return }
    let names: [String?] =
      if isJSONSchema, let array = type.array { array.map(\.string) } else { [type.string] }
    for name in names {
      guard let name, types.contains(name.lowercased()) else {
        throw .invalid("\(path).type", "there is no such type")
      }
    }
    if !isJSONSchema, names.first??.lowercased() == "array", schema["items"] == nil {
      throw .invalid("\(path).items", "missing field")
    }
  }

  // MARK: Reading

  /// Whether answers are arrays.
  var isArray: Bool { Self.type(of: resolved(root)) == "array" }

  /// The first value of an enumeration; nil if the schema has none.
  var firstOfEnum: String? { root["enum"]?.array?.first?.string }

  /// A schema whose references and choices are followed, at most so many; of choices the first that is not null.
  private func resolved(_ schema: JSONValue) -> JSONValue {
    var schema = schema
    for _ in 0..<Self.deepest {
      if let reference = (schema["$ref"] ?? schema["ref"])?.string {
        guard let found = definition(reference) else { return schema }
        schema = found
      } else if schema["type"] == nil,
        let choices = (schema["anyOf"] ?? schema["any_of"] ?? schema["oneOf"])?.array,
        let choice = choices.first(where: { Self.type(of: $0) != "null" })
      {
        schema = choice
      } else {
        return schema
      }
    }
    return schema
  }

  /// The schema of a reference such as `#/$defs/Party`.
  private func definition(_ reference: String) -> JSONValue? {
    guard reference.hasPrefix("#") else { return nil }
    var found: JSONValue? = root
    for step in reference.dropFirst().split(separator: "/") {
      found = found?[String(step)]
    }
    return found
  }

  /// The type in lower case; of a list the first that is not null. Nil if the schema does not tell.
  private static func type(of schema: JSONValue) -> String? {
    if let name = schema["type"]?.string?.lowercased(), name != "type_unspecified" { return name }
    if let names = schema["type"]?.array?.compactMap({ $0.string?.lowercased() }) {
      return names.first { $0 != "null" } ?? names.first
    }
    if schema["properties"] != nil { return "object" }
    return schema["items"] == nil ? nil : "array"
  }
}

// MARK: - Filling in

extension GeminiSchema {
  /// Writes the answer about documents: of each the fields it says it has, nil if it says nothing.
  ///
  /// An array is answered with an element per document, anything else with the first document that says something. What
  /// the schema names and the document does not have is `null`.
  func write(about documents: [JSONValue?], to json: inout JSONWriter) {
    let schema = resolved(root)
    guard Self.type(of: schema) == "array" else {
      return write(top: schema, documents.compactMap(\.self).first, to: &json)
    }
    let items = schema["items"].map(resolved)
    json.array(documents) { json, document in
      if let items { write(top: items, document, to: &json) } else { json.raw(document) }
    }
  }

  /// Writes an object even if there is nothing to say: all its properties are `null`.
  private func write(top schema: JSONValue, _ value: JSONValue?, to json: inout JSONWriter) {
    if value == nil, Self.type(of: schema) == "object" {
      json.object(names(of: schema)) { json, name in json.nullField(name) }
    } else {
      write(schema, value, depth: 0, to: &json)
    }
  }

  private func write(
    _ schema: JSONValue, _ value: JSONValue?, depth: Int, to json: inout JSONWriter
  ) {
    guard let value, !value.isNull, depth < 2 * Self.deepest else { return json.null() }
    let schema = resolved(schema)
    if let choices = schema["enum"]?.array, let text = value.string,
      !choices.contains(where: { $0.string == text })
    {
      return json.null()
    }
    switch (Self.type(of: schema), value.kind) {
    case (nil, _): json.raw(value)
    case ("object", .object):
      guard schema["properties"]?.members != nil else { return json.raw(value) }
      json.object(names(of: schema)) { json, name in
        json.name(name)
        if let property = schema["properties"]?[name] {
          write(property, value[name], depth: depth + 1, to: &json)
        } else {
          json.null()
        }
      }
    case ("array", .array):
      guard let items = schema["items"], let elements = value.array else { return json.raw(value) }
      json.array(elements) { json, element in
        write(items, element, depth: depth + 1, to: &json)
      }
    case ("string", .string), ("boolean", .bool): json.raw(value)
    case ("string", .number): json.string(String(decoding: value.bytes, as: UTF8.self))
    case ("number", _): Self.write(number: value, isInteger: false, to: &json)
    case ("integer", _): Self.write(number: value, isInteger: true, to: &json)
    default: json.null()
    }
  }

  /// The names of an object's properties: first as `propertyOrdering` lists them, then as they were sent.
  private func names(of schema: JSONValue) -> [String] {
    guard let members = schema["properties"]?.members else { return [] }
    let sent = members.map(\.name)
    let known = Set(sent)
    let ordering = schema["propertyOrdering"] ?? schema["property_ordering"]
    var seen: Set<String> = []
    let ordered = (ordering?.array?.compactMap(\.string) ?? []).filter(known.contains) + sent
    return ordered.filter { seen.insert($0).inserted }
  }

  /// Writes a number with its digits as they are, also if it is a decimal text; else `null`.
  private static func write(
    number value: JSONValue, isInteger: Bool, to json: inout JSONWriter
  ) {
    var digits = value.string.map { Array($0.utf8) } ?? Array(value.bytes)
    if isInteger, let point = digits.firstIndex(of: UInt8(ascii: ".")),
      digits[(point + 1)...].allSatisfy({ $0 == UInt8(ascii: "0") })
    {
      digits.removeSubrange(point...)
    }
    guard let number = (try? JSONDocument(digits, maximumDepth: 1, maximumValues: 1))?.root,
      number.kind == .number, !isInteger || number.int64 != nil
    else { return json.null() }
    json.raw(number.bytes)
  }
}

extension JSONWriter {
  /// Writes an object with a member for each name.
  fileprivate mutating func object(
    _ names: [String], _ member: (inout JSONWriter, String) -> Void
  ) {
    object { json in
      for name in names { member(&json, name) }
    }
  }

  /// Writes a value as it was written, or `null`.
  fileprivate mutating func raw(_ value: JSONValue?) {
    if let value { raw(value.bytes) } else { null() }
  }
}
