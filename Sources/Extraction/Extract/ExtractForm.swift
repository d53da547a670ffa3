import Hummingbird
import TollbookEvents
import TollbookHTTP

/// What a client posts to have documents read.
struct ExtractForm: Sendable {
  struct File: Sendable {
    /// As the client names it; cleaned.
    var name: String
    /// The media type that the client says.
    var type: String?
    var content: [UInt8]
  }

  /// The most files of one request.
  static let mostFiles = 20
  /// The longest file, in bytes.
  static let longestFile = 20 << 20
  /// The longest body, in bytes: several files together, and the words around them.
  static let longestBody = 24 << 20
  private static let fields = ["companyID", "username", "branch", "schema"]
  private static let longestField = 200

  private(set) var files: [File] = []
  /// By their names.
  private var texts: [String: String] = [:]

  var company: String? { texts["companyID"] }
  var user: String? { texts["username"] }
  var branch: String? { texts["branch"] }
  var schema: String? { texts["schema"] }

  /// Reads the body of a request as it arrives.
  ///
  /// - Throws: a `Problem` that names what is wrong.
  init(_ request: Request) async throws {
    let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
    guard announced <= Self.longestBody else { throw Self.tooLong }
    var reader: MultipartReader
    do throws(MultipartFault) {
      let boundary = try MultipartBoundary(contentType: request.headers[.contentType] ?? "")
      reader = MultipartReader(
        boundary: boundary,
        limits: MultipartLimits(
          parts: Self.mostFiles + Self.fields.count, partBytes: Self.longestFile,
          partBytesByName: Dictionary(
            uniqueKeysWithValues: Self.fields.map { ($0, Self.longestField) }),
          bodyBytes: Self.longestBody))
    } catch { throw Problem(.unsupportedMediaType, "\(error)", field: "Content-Type") }
    var part: (MultipartPart, content: [UInt8])?
    var unreserved = announced
    do {
      for try await piece in request.body {
        for event in try reader.read(Array(piece.readableBytesView)) {
          switch event {
          case .begin(let begun):
            part = (begun, [])
            // A long file is not moved as it grows. All of them together are not longer than what was announced.
            if begun.name == "file" {
              let most = min(max(0, unreserved), Self.longestFile)
              part?.content.reserveCapacity(most)
              unreserved -= most
            }
          case .data(let bytes): part?.content.append(contentsOf: bytes)
          case .end:
            if let part { try add(part.0, part.content) }
            part = nil
          }
        }
      }
      try reader.finish()
    } catch let fault as MultipartFault {
      throw Self.problem(fault)
    } catch let problem as Problem { throw problem } catch { throw unreadBody(error) }
    guard !files.isEmpty else {
      throw Problem(.missingField, "file is missing: send at least one document", field: "file")
    }
  }

  private static let tooLong = Problem(
    .bodyTooLarge, "a request may have up to \(longestBody) bytes, and a file up to \(longestFile)")

  private static func problem(_ fault: MultipartFault) -> Problem {
    switch fault.reason {
    case .longPart(let name, let limit) where name == "file":
      Problem(.bodyTooLarge, "a file may have up to \(limit) bytes", field: "file")
    case .longPart(let name, let limit):
      Problem(
        .invalidField, "\(name.inOneLine(atMost: 100)) may have up to \(limit) bytes",
        field: name.inOneLine(atMost: 100))
    case .longBody: tooLong
    default: Problem(.unreadableBody, "\(fault)")
    }
  }

  /// Takes the first of its files out of it, so that its content is not kept longer than it is needed.
  mutating func takeFile() -> File? { files.isEmpty ? nil : files.removeFirst() }

  private mutating func add(_ part: MultipartPart, _ content: [UInt8]) throws(Problem) {
    let name = part.name.inOneLine(atMost: 100)
    if part.name == "file" {
      guard files.count < Self.mostFiles else {
        throw Problem(
          .invalidField, "there are more than \(Self.mostFiles) files", field: "file")
      }
      let shown = (part.filename ?? "").inOneLine(atMost: MultipartPart.longestName)
      return files.append(File(name: shown, type: part.contentType, content: content))
    }
    guard Self.fields.contains(part.name) else {
      throw Problem(
        .invalidField,
        "there is no field “\(name)”; there are file, \(Self.fields.joined(separator: ", "))",
        field: name)
    }
    guard texts[part.name] == nil else {
      throw Problem(.invalidField, "\(name) stands twice; send one of them", field: name)
    }
    guard let text = String(validating: content, as: UTF8.self),
      !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f })
    else {
      throw Problem(
        .invalidField, "\(name) must be text of UTF-8 without control characters", field: name)
    }
    if !text.isEmpty { texts[part.name] = text }
  }
}
