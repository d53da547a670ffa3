import Extraction

/// One field of a form, as the tests write and expect it.
struct FormField: Hashable {
  var part: MultipartPart
  var data: [UInt8]
}

/// Writes forms as browsers do, and reads them back with the reader under test.
enum FormModel {
  static func boundary(_ text: String) throws -> MultipartBoundary {
    try MultipartBoundary(contentType: "multipart/form-data; boundary=\"\(text)\"")
  }

  /// A part with `Content-Disposition`, `Content-Type` if there is one, and the data.
  static func bytes(_ field: FormField, after boundary: String) -> [UInt8] {
    var head =
      "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(escaped(field.part.name))\""
    if let filename = field.part.filename { head += "; filename=\"\(escaped(filename))\"" }
    head += "\r\n"
    if let type = field.part.contentType { head += "Content-Type: \(type)\r\n" }
    return Array((head + "\r\n").utf8) + field.data + Array("\r\n".utf8)
  }

  static func body(_ fields: [FormField], boundary: String) -> [UInt8] {
    fields.flatMap { bytes($0, after: boundary) } + Array("--\(boundary)--\r\n".utf8)
  }

  private static func escaped(_ name: String) -> String {
    name.map { character in
      switch character {
      case "\r\n": "%0D%0A"
      case "\r": "%0D"
      case "\n": "%0A"
      case "\"": "%22"
      default: String(character)
      }
    }.joined()
  }

  /// The fields of a body that is handed over in pieces of these sizes, again and again.
  static func fields(
    of body: [UInt8], boundary: MultipartBoundary, pieces: [Int],
    limits: MultipartLimits = MultipartLimits()
  ) throws(MultipartFault) -> [FormField] {
    var reader = MultipartReader(boundary: boundary, limits: limits)
    var fields: [FormField] = []
    var open: FormField?
    var position = 0
    var turn = 0
    while position < body.count {
      let end = min(position + pieces[turn % pieces.count], body.count)
      for event in try reader.read(body[position..<end]) {
        switch event {
        case .begin(let part): open = FormField(part: part, data: [])
        case .data(let data): open?.data += data
        case .end:
          if let field = open { fields.append(field) }
          open = nil
        }
      }
      position = end
      turn += 1
    }
    try reader.finish()
    return fields
  }
}
