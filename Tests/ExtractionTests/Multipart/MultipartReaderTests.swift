import Extraction
import Testing

@Suite struct MultipartReaderTests {
  private let field = FormField(
    part: MultipartPart(name: "file", filename: "a.pdf", contentType: "application/pdf"),
    data: Array("%PDF-1.7\r\n--x\r\n".utf8))

  // MARK: - What is written comes back

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `what was written comes back, however it is cut`(seed: UInt64) throws {
    var random = SeededBytes(seed: seed)
    let text = ["x", "----WebKitFormBoundary0", "a:b c?", "--", "'()+_,-./:=?z"][random.int(0...4)]
    var fields: [FormField] = []
    for _ in 0..<random.int(0...4) { fields.append(field(&random, boundary: text)) }
    let body = FormModel.body(fields, boundary: text)
    let boundary = try FormModel.boundary(text)

    for pieces in [[1], [body.count], (0..<7).map { _ in random.int(1...30) }] {
      #expect(try FormModel.fields(of: body, boundary: boundary, pieces: pieces) == fields)
    }
  }

  /// A field whose data is full of what looks like the boundary and is not.
  private func field(_ random: inout SeededBytes, boundary: String) -> FormField {
    let delimiter = Array("\r\n--\(boundary)".utf8)
    var data: [UInt8] = []
    for _ in 0..<random.int(0...30) {
      switch random.int(0...6) {
      case 0: data += delimiter.prefix(random.int(0...delimiter.count))
      case 1:
        data +=
          delimiter + Array([" \r\n", "-", "\r", "\n", "x--", "-\r\n"][random.int(0...5)].utf8)
      case 2: data += Array("\r\n\r\n".utf8.prefix(random.int(1...4)))
      case 3: data += Array("----".utf8.prefix(random.int(1...4)))
      case 4: data += delimiter.dropFirst(2) + [UInt8(ascii: ".")]
      default: data += random.bytes(random.int(1...20))
      }
    }
    // A real delimiter in the data, its beginning included, would end the part.
    let whole = Array("\r\n".utf8) + data + Array("\r\n--\(boundary)--".utf8)
    let ends = ["\r\n", "--"].map { delimiter + Array($0.utf8) }
    let first = whole.indices.first { index in ends.contains { whole[index...].starts(with: $0) } }
    data = Array(data.prefix(max((first ?? 0) - 2, 0)))
    let names = ["file", "naïve \"field\"", "a\r\nb", "%41", "back\\slash", "文書"]
    let type: String? = [nil, "text/plain", "application/pdf; x=\"y\""][random.int(0...2)]
    return FormField(
      part: MultipartPart(
        name: names[random.int(0...5)], filename: [nil, "", "ü.pdf"][random.int(0...2)],
        contentType: type),
      data: data)
  }

  @Test func `data is handed on before its part is complete`() throws {
    var reader = MultipartReader(boundary: try FormModel.boundary("abc"))
    let head = "--abc\r\nContent-Disposition: form-data; name=f\r\n\r\n"
    #expect(try reader.read(Array(head.utf8)) == [.begin(MultipartPart(name: "f"))])
    #expect(try reader.read(Array("12345\r\n--ab".utf8)) == [.data(Array("12345".utf8))])
    #expect(try reader.read(Array("x".utf8)) == [.data(Array("\r\n--abx".utf8))])
    #expect(try reader.read(Array("\r\n--abc-".utf8)) == [])
    #expect(try reader.read(Array("-".utf8)) == [.end])
    try reader.finish()
  }

  @Test(arguments: ["", "\r\n"], ["", "\r\n"])
  func `one line end before the body and one after it are nothing`(
    before: String, after: String
  ) throws {
    let body = before + "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--" + after
    let fields = try read(body)
    #expect(fields == [FormField(part: MultipartPart(name: "a"), data: [UInt8(ascii: "1")])])
  }

  @Test func `a form without fields and a part with headers only are read`() throws {
    #expect(try read("--x--\r\n") == [])
    let bare = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n--x--\r\n"
    #expect(try read(bare) == [FormField(part: MultipartPart(name: "a"), data: [])])
  }

  @Test func `headers are read in any case, and unknown ones are ignored`() throws {
    let body = """
      --x\r\ncontent-DISPOSITION:form-data;NAME="a";FileName=b.txt; size=3\r
      Content-Transfer-Encoding: Binary\r\nX-Other: \u{e4}\r\nCONTENT-TYPE:  Text/Plain \r\n\r
      1\r\n--x--
      """
    let part = MultipartPart(name: "a", filename: "b.txt", contentType: "Text/Plain")
    #expect(try read(body) == [FormField(part: part, data: [UInt8(ascii: "1")])])
  }

  @Test func `names are decoded as browsers and others write them`() throws {
    func name(_ written: String) throws -> String? {
      try read("--x\r\nContent-Disposition: form-data; name=\(written)\r\n\r\n\r\n--x--")
        .first?.part.name
    }
    #expect(try name(#""a%22b%0D%0Ac%0dd""#) == "a\"b\r\nc\rd")
    #expect(try name(#""a%20b%2""#) == "a%20b%2")
    #expect(try name(#""a\"b\\c""#) == #"a"b\c"#)
    #expect(try name(#""C:\temp\a.pdf""#) == #"C:\temp\a.pdf"#)
    #expect(try name(#""a;b=c""#) == "a;b=c")
  }

  // MARK: - What is refused

  private static let good = "Content-Disposition: form-data; name=a"

  @Test(arguments: [
    ("Content-Type: text/plain", "part 1: Content-Disposition is missing"),
    (
      "Content-Disposition: attachment; name=a",
      "part 1, Content-Disposition: “attachment” is not form-data"
    ),
    ("Content-Disposition: form-data", "part 1, Content-Disposition: the name is missing"),
    (
      "Content-Disposition: form-data; name=\"\"",
      "part 1, Content-Disposition: the name is missing"
    ),
    (
      "Content-Disposition: form-data; name=\"a",
      "part 1, Content-Disposition: parameters are written as “; name=value”"
    ),
    (
      "Content-Disposition: form-data name=a",
      "part 1, Content-Disposition: “form-data name=a” is not form-data"
    ),
    (
      "Content-Disposition: form-data; name=a; name=b",
      "part 1, Content-Disposition: the parameter name is there twice"
    ),
    (
      "\(good); filename*=UTF-8''a",
      "part 1, Content-Disposition: the parameter filename* is not allowed in a form;"
        + " write it without the star"
    ),
    (
      "\(good)\r\ncontent-disposition: form-data; name=b",
      "part 1, content-disposition: the header is there twice"
    ),
    ("\(good)\r\nX-A: 1\r\nx-a: 1", "part 1, x-a: the header is there twice"),
    ("\(good)\r\n ; filename=b", "part 1: a header goes on in a second line"),
    ("\(good)\r\nno header", "part 1: a line is no “name: value”"),
    ("\(good)\r\nX-A : 1", "part 1: a line is no “name: value”"),
    ("\(good)\r\n: 1", "part 1: a line is no “name: value”"),
    ("\(good)\nX-A: 1", "part 1: a line ends with CR or LF alone"),
    ("\(good)\rX-A: 1", "part 1: a line ends with CR or LF alone"),
    ("\(good)\r\nX-A: a\0b", "part 1, X-A: a control character is not allowed"),
    (
      "Content-Disposition: form-data; name=\"a\0\"",
      "part 1, Content-Disposition: a control character is not allowed"
    ),
    (
      "Content-Disposition: form-data; name=\"a\tb\"",
      "part 1, Content-Disposition: a control character is not allowed"
    ),
    (
      "Content-Disposition: form-data; name=\"a\u{85}\"",
      "part 1, Content-Disposition: a control character is not allowed"
    ),
    ("\(good)\r\nContent-Type: text", "part 1, Content-Type: this is no media type"),
    ("\(good)\r\nContent-Type: text/a/b", "part 1, Content-Type: this is no media type"),
    ("\(good)\r\nContent-Type:", "part 1, Content-Type: this is no media type"),
    (
      "\(good)\r\nContent-Transfer-Encoding: base64",
      "part 1, Content-Transfer-Encoding: “base64” is not binary, 8bit or 7bit"
    ),
  ])
  func `bad headers are refused and named`(headers: String, message: String) throws {
    #expect(fault("--x\r\n\(headers)\r\n\r\n1\r\n--x--\r\n") == message)
  }

  @Test func `bytes that are not UTF-8 are refused`() throws {
    let open = Array("--x\r\nContent-Disposition: form-data; name=\"".utf8)
    let body = open + [0xff] + Array("\"\r\n\r\n1\r\n--x--\r\n".utf8)
    #expect(fault(body) == "part 1, Content-Disposition: the bytes are not UTF-8")
    let typed = Array("--x\r\n\(Self.good)\r\nContent-Type: a/b; c=\"".utf8)
    let second = typed + [0xff] + Array("\"\r\n\r\n1\r\n--x--\r\n".utf8)
    #expect(fault(second) == "part 1, Content-Type: the bytes are not UTF-8")
  }

  @Test func `names are at most 200 bytes once decoded`() throws {
    func form(_ parameters: String) -> String {
      "--x\r\nContent-Disposition: form-data; \(parameters)\r\n\r\n1\r\n--x--\r\n"
    }
    let longest = String(repeating: "%22", count: 198) + "ä"
    #expect(try read(form("name=\"\(longest)\"")).count == 1)
    #expect(
      fault(form("name=\"\(longest)b\""))
        == "part 1, Content-Disposition: the name is longer than 200 bytes")
    #expect(
      fault(form("name=a; filename=\"\(longest)b\""))
        == "part 1, Content-Disposition: the file name is longer than 200 bytes")
  }

  @Test(arguments: [
    ("hello\r\n--x\r\n", "before the first part: the body does not begin with its boundary"),
    ("\r\n\r\n--x--", "before the first part: the body does not begin with its boundary"),
    ("\n--x--", "before the first part: the body does not begin with its boundary"),
    ("--x \r\n", "before the first part: the body does not begin with its boundary"),
    ("--xy\r\n", "before the first part: the body does not begin with its boundary"),
    ("--x--\r\nbye", "after the last part: bytes follow the last boundary"),
    ("--x--\r\n\r\n", "after the last part: bytes follow the last boundary"),
    ("--x--bye", "after the last part: bytes follow the last boundary"),
    ("--x--\n", "after the last part: bytes follow the last boundary"),
  ])
  func `text before and after the parts is refused`(body: String, message: String) {
    #expect(fault(body) == message)
  }

  @Test func `the place of a fault is the part it is in`() {
    let first = "--x\r\n\(Self.good)\r\n\r\n1\r\n"
    #expect(
      fault(first + first + "--x\r\nContent-Type: a/b\r\n\r\n")
        == "part 3: Content-Disposition is missing")
  }

  @Test func `each cut of a body is refused`() throws {
    let body = FormModel.body([field, field], boundary: "abc")
    let boundary = try FormModel.boundary("abc")
    let whole = [body.count - 2, body.count]  // The CRLF at the end may be missing.
    for length in 0...body.count {
      let cut = Array(body.prefix(length))
      let found = Result { () throws(MultipartFault) in
        try FormModel.fields(of: cut, boundary: boundary, pieces: [7])
      }
      if whole.contains(length) {
        #expect(try found.get() == [field, field])
      } else {
        #expect(throws: MultipartFault.self, "\(length) bytes") { try found.get() }
        if case .failure(let fault) = found { #expect(fault.reason == .cut, "\(length) bytes") }
      }
    }
  }

  // MARK: - Limits

  @Test func `what is as long as allowed is read, and a byte more is refused`() throws {
    let body = FormModel.body([field], boundary: "x1")
    let head =
      "Content-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n"
      + "Content-Type: application/pdf\r\n\r\n"
    let exact = MultipartLimits(
      headerBytes: head.utf8.count, parts: 1, partBytes: field.data.count, bodyBytes: body.count)
    #expect(try read(body, boundary: "x1", limits: exact) == [field])

    var limits = exact
    limits.headerBytes -= 1
    #expect(
      fault(body, boundary: "x1", limits: limits)
        == "part 1: the headers are longer than \(head.utf8.count - 1) bytes")
    limits = exact
    limits.parts = 0
    #expect(fault(body, boundary: "x1", limits: limits) == "the body: there are more than 0 parts")
    limits = exact
    limits.partBytes -= 1
    #expect(
      fault(body, boundary: "x1", limits: limits)
        == "part 1: “file” is longer than \(field.data.count - 1) bytes")
    limits.partBytesByName = ["file": field.data.count]
    #expect(try read(body, boundary: "x1", limits: limits) == [field])
    limits = exact
    limits.bodyBytes -= 1
    #expect(
      fault(body, boundary: "x1", limits: limits)
        == "the body: it is longer than \(body.count - 1) bytes")
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `a damaged body has the same outcome however it is cut`(seed: UInt64) throws {
    var random = SeededBytes(seed: seed)
    var body = FormModel.body([field, field], boundary: "abc")
    for _ in 0..<random.int(1...3) {
      let interesting = Array("\r\n-:;=\" \0a".utf8) + [random.byte()]
      body[random.int(0...body.count - 1)] = interesting[random.int(0...interesting.count - 1)]
    }
    let limits = MultipartLimits(
      headerBytes: random.int(60...200), partBytes: random.int(10...20),
      bodyBytes: random.int(150...400))
    let boundary = try FormModel.boundary("abc")
    let outcomes = [[1], [body.count], [random.int(2...9), random.int(2...40)]].map { pieces in
      Result { () throws(MultipartFault) in
        try FormModel.fields(of: body, boundary: boundary, pieces: pieces, limits: limits)
      }
    }
    #expect(outcomes[0] == outcomes[1])
    #expect(outcomes[0] == outcomes[2])
  }

  @Test func `each part may be as long as allowed`() throws {
    let body = FormModel.body([field, field, field], boundary: "x1")
    let limits = MultipartLimits(partBytes: field.data.count)
    #expect(try read(body, boundary: "x1", limits: limits) == [field, field, field])
  }

  @Test func `a body that was ended too early cannot go on`() throws {
    var reader = MultipartReader(boundary: try FormModel.boundary("x"))
    let fault = MultipartFault(.cut, in: .beginning)
    #expect(throws: fault) { try reader.finish() }
    #expect(throws: fault) { try reader.read(Array("--x--".utf8)) }
  }

  @Test func `a reader stays at its fault`() throws {
    var reader = MultipartReader(boundary: try FormModel.boundary("x"))
    let fault = MultipartFault(.preamble, in: .beginning)
    #expect(throws: fault) { try reader.read(Array("junk".utf8)) }
    #expect(throws: fault) { try reader.read(Array("--x--".utf8)) }
    #expect(throws: fault) { try reader.finish() }
  }

  // MARK: - Helpers

  private func read(
    _ body: [UInt8], boundary: String = "x", limits: MultipartLimits = MultipartLimits()
  ) throws -> [FormField] {
    try FormModel.fields(
      of: body, boundary: try FormModel.boundary(boundary), pieces: [3], limits: limits)
  }

  private func read(_ body: String) throws -> [FormField] { try read(Array(body.utf8)) }

  private func fault(
    _ body: [UInt8], boundary: String = "x", limits: MultipartLimits = MultipartLimits()
  ) -> String? {
    do {
      _ = try read(body, boundary: boundary, limits: limits)
      return nil
    } catch {
      return "\(error)"
    }
  }

  private func fault(_ body: String) -> String? { fault(Array(body.utf8)) }
}
