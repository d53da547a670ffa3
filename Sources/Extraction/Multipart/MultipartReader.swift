/// Reads a multipart/form-data body from pieces of any length and gives back what it finds at once.
///
/// The events and the fault are the same however the body is cut, once adjacent data is joined. At most the length of
/// a boundary and the headers of one part are held back. Strict where readers differ:
///
/// * Lines end with CRLF. The body begins with its boundary, after one CRLF at most, and ends with its last boundary,
///   with one CRLF after it at most.
/// * A boundary counts when a CRLF comes before it and a CRLF or `--` right after it. Anything else is data; white
///   space after a boundary, which only mail adds on its way, too.
/// * As a part may have headers only, a boundary right after the empty line ends it, too. A body of no part, as
///   browsers send for an empty form, is accepted.
///
/// - Source: RFC 7578; RFC 2046, sections 5.1 and 5.1.1 (`multipart-body`, `delimiter`, `close-delimiter`).
package struct MultipartReader: Sendable {
  private enum State {
    /// Before the first boundary; the number of its bytes that were matched.
    case beginning
    /// A CRLF or `--` comes next; then a part or the end.
    case tail
    case headers
    case data
    /// After the last boundary.
    case end
  }

  private let limits: MultipartLimits
  /// CRLF, two dashes and the boundary. CR stands only at its beginning, so that after a mismatch a new match can
  /// begin only with the byte that did not match.
  private let delimiter: [UInt8]
  private var state = State.beginning
  /// How many bytes of the delimiter were met.
  private var matched = 0
  /// How many of these are no data should the match fail: the CRLF of the empty line after the headers.
  private var borrowed = 0
  /// The first byte after a delimiter.
  private var tail: UInt8?
  private var number = 0
  private var headers = MultipartHeaders(part: 1)
  private var line: [UInt8] = []
  private var headerBytes = 0
  private var part: MultipartPart?
  private var partBytes = 0
  /// The most that the part may have.
  private var partLimit = 0
  private var bodyBytes = 0
  private var epilogue = 0
  private var fault: MultipartFault?
  private var events: [MultipartEvent] = []
  /// Data that is not yet an event.
  private var data: [UInt8] = []

  /// Starts a body.
  package init(boundary: MultipartBoundary, limits: MultipartLimits = MultipartLimits()) {
    self.limits = limits
    delimiter = Array("\r\n--\(boundary.text)".utf8)
  }

  /// Reads the next piece.
  ///
  /// - Returns: What it completes, in order.
  /// - Throws: The first fault of the body. The reader then stays at it: whatever is read after throws it again.
  package mutating func read(_ bytes: ArraySlice<UInt8>) throws(MultipartFault) -> [MultipartEvent]
  {
    if let fault { throw fault }
    do throws(MultipartFault) {
      try consume(bytes.prefix(limits.bodyBytes - bodyBytes))
      if bytes.count > limits.bodyBytes - bodyBytes {
        throw MultipartFault(.longBody(limit: limits.bodyBytes), in: .body)
      }
    } catch {
      fault = error
      throw error
    }
    bodyBytes += bytes.count
    flush()
    defer { events = [] }
    return events
  }

  /// Reads the next piece; see ``read(_:)-(ArraySlice<UInt8>)``.
  package mutating func read(_ bytes: [UInt8]) throws(MultipartFault) -> [MultipartEvent] {
    try read(bytes[...])
  }

  /// Ends the body.
  ///
  /// - Throws: The fault that was found before, or that the last boundary or its end is missing.
  package mutating func finish() throws(MultipartFault) {
    if let fault { throw fault }
    let isComplete = state == .end && (epilogue == 0 || epilogue == 2)
    if isComplete { return }
    let place: MultipartFault.Place =
      switch state {
      case .beginning: .beginning
      case .end: .end
      case .tail, .headers, .data: number == 0 ? .beginning : .part(number)
      }
    let cut = MultipartFault(.cut, in: place)
    fault = cut
    throw cut
  }

  // MARK: - States

  private mutating func consume(_ bytes: ArraySlice<UInt8>) throws(MultipartFault) {
    var index = bytes.startIndex
    while index < bytes.endIndex {
      // Most of a body is data in which no line ends: it is taken at once.
      if state == .data, matched == 0 {
        let end = Self.endOfLine(in: bytes[index...])
        try take(bytes[index..<end])
        index = end
        if index == bytes.endIndex { return }
      }
      try consume(bytes[index])
      index += 1
    }
  }

  /// The first CR behind which LF stands, or may stand: no delimiter begins before it.
  private static func endOfLine(in bytes: ArraySlice<UInt8>) -> Int {
    var start = bytes.startIndex
    while let place = bytes[start...].firstIndex(of: UInt8(ascii: "\r")) {
      let next = place + 1
      if next == bytes.endIndex || bytes[next] == UInt8(ascii: "\n") { return place }
      start = next
    }
    return bytes.endIndex
  }

  private mutating func consume(_ byte: UInt8) throws(MultipartFault) {
    switch state {
    case .beginning: try begin(byte)
    case .tail: try consumeTail(byte)
    case .headers: try consumeHeader(byte)
    case .data: try consumeData(byte)
    case .end: try consumeEpilogue(byte)
    }
  }

  private mutating func begin(_ byte: UInt8) throws(MultipartFault) {
    // The CRLF before the first boundary may be missing.
    if matched == 0, byte != delimiter[0] { matched = 2 }
    guard byte == delimiter[matched] else { throw MultipartFault(.preamble, in: .beginning) }
    matched += 1
    if matched == delimiter.count { state = .tail }
  }

  /// After a delimiter: CRLF begins a part, two dashes end the body.
  private mutating func consumeTail(_ byte: UInt8) throws(MultipartFault) {
    switch (tail, byte) {
    case (nil, UInt8(ascii: "\r")), (nil, UInt8(ascii: "-")): tail = byte
    case (UInt8(ascii: "\r"), UInt8(ascii: "\n")):
      endPart()
      try beginPart()
    case (UInt8(ascii: "-"), UInt8(ascii: "-")):
      endPart()
      state = .end
    default: try resumeData(byte)
    }
  }

  /// What looked like a delimiter is data, for the byte that follows it.
  private mutating func resumeData(_ byte: UInt8) throws(MultipartFault) {
    guard part != nil else { throw MultipartFault(.preamble, in: .beginning) }
    try takeMatched()
    state = .data
    // A CR that was held begins no match: LF does not follow it, or there would be a delimiter.
    if let tail { try take(CollectionOfOne(tail)) }
    tail = nil
    try consumeData(byte)
  }

  private mutating func endPart() {
    flush()
    if part != nil { events.append(.end) }
    part = nil
    tail = nil
    matched = 0
    borrowed = 0
  }

  private mutating func beginPart() throws(MultipartFault) {
    guard number < limits.parts else {
      throw MultipartFault(.tooManyParts(limit: limits.parts), in: .body)
    }
    number += 1
    headers = MultipartHeaders(part: number)
    line = []
    headerBytes = 0
    partBytes = 0
    state = .headers
  }

  private mutating func consumeHeader(_ byte: UInt8) throws(MultipartFault) {
    headerBytes += 1
    guard headerBytes <= limits.headerBytes else {
      throw MultipartFault(.longHeaders(limit: limits.headerBytes), in: .part(number))
    }
    let endsLine = line.last == UInt8(ascii: "\r")
    guard endsLine == (byte == UInt8(ascii: "\n")) else {
      throw MultipartFault(.lineEnd, in: .part(number))
    }
    guard endsLine else { return line.append(byte) }
    line.removeLast()
    if line.isEmpty {
      let read = try headers.part()
      part = read
      partLimit = limits.partBytes(of: read.name)
      events.append(.begin(read))
      state = .data
      // The CRLF of the empty line may be that of a boundary.
      matched = 2
      borrowed = 2
    } else {
      try headers.add(line)
      line = []
    }
  }

  private mutating func consumeData(_ byte: UInt8) throws(MultipartFault) {
    if byte == delimiter[matched] {
      matched += 1
      if matched == delimiter.count { state = .tail }
      return
    }
    try takeMatched()
    if byte == delimiter[0] { matched = 1 } else { try take(CollectionOfOne(byte)) }
  }

  private mutating func consumeEpilogue(_ byte: UInt8) throws(MultipartFault) {
    guard epilogue < 2, byte == delimiter[epilogue] else {
      throw MultipartFault(.epilogue, in: .end)
    }
    epilogue += 1
  }

  // MARK: - Data

  private mutating func takeMatched() throws(MultipartFault) {
    try take(delimiter[borrowed..<matched])
    matched = 0
    borrowed = 0
  }

  private mutating func take(_ bytes: some Collection<UInt8>) throws(MultipartFault) {
    guard let part, !bytes.isEmpty else { return }
    let limit = partLimit
    guard bytes.count <= limit - partBytes else {
      throw MultipartFault(
        .longPart(name: part.name.shortened, limit: limit), in: .part(number))
    }
    partBytes += bytes.count
    data += bytes
  }

  private mutating func flush() {
    if !data.isEmpty { events.append(.data(data)) }
    data = []
  }
}
