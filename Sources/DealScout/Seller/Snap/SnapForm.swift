import Extraction
import Hummingbird
import TollbookEvents
import TollbookHTTP

/// What a client posts to have photos looked at: `photo` parts, and `note`, `marketplace`, and `companyID` or
/// `account`. A page's form has its token before the first photo.
struct SnapForm: Sendable {
  struct File: Sendable {
    /// As the client names it; cleaned. Where it has no name, `photo 1` and so on.
    var name: String
    /// The media type that the client says.
    var type: String?
    var content: [UInt8]
  }

  /// The longest body, in bytes. In base64 that is less than the 100 MB that the model's provider takes.
  static let longestBody = 64 << 20
  static let part = "photo"
  /// Of what a seller says of the thing, in bytes.
  static let longestNote = 2_000
  /// The longest of each, in bytes.
  private static let fields = [
    "note": longestNote, "marketplace": 40, "companyID": 200, "account": 200,
  ]

  private(set) var photos: [File] = []
  private var texts: [String: String] = [:]
  /// Takes the token of a page's form; nil: it is no page's.
  private let gate: FormGate?
  /// Whether its token counts.
  private(set) var isAdmitted = false

  init(gate: FormGate? = nil) { self.gate = gate }

  var note: String? { texts["note"] }
  var marketplace: String? { texts["marketplace"] }
  /// Who pays, and under which name that was said; nil: who asks.
  var payer: (name: String, field: String)? {
    for field in ["companyID", "account"] {
      if let name = texts[field] { return (name, field) }
    }
    return nil
  }

  /// Reads the body of a request as it arrives. Of one that has something wrong, what stood before that is known.
  ///
  /// - Throws: a `Problem` that names what is wrong.
  mutating func read(_ request: Request) async throws {
    let announced = request.headers[.contentLength].flatMap { Int($0) } ?? 0
    guard announced <= Self.longestBody else { throw Self.tooLong }
    var reader: MultipartReader
    do throws(MultipartFault) {
      let boundary = try MultipartBoundary(contentType: request.headers[.contentType] ?? "")
      reader = MultipartReader(
        boundary: boundary,
        limits: MultipartLimits(
          parts: PhotoBook.mostTogether + Self.fields.count + 2, partBytes: Photo.longest,
          partBytesByName: fields, bodyBytes: Self.longestBody))
    } catch { throw Problem(.unsupportedMediaType, "\(error)", field: "Content-Type") }
    var part: (head: MultipartPart, content: [UInt8])?
    do {
      for try await piece in request.body {
        let bytes = Array(piece.readableBytesView)
        // In short pieces: a photo that is too long has begun before it is found to be, and has a name.
        for start in stride(from: 0, to: bytes.count, by: 1 << 16) {
          let events = try reader.read(bytes[start..<min(start + 1 << 16, bytes.count)])
          for event in events {
            switch event {
            case .begin(let begun):
              if begun.name == Self.part, !isAdmitted { try gate?.admit(nil) }
              part = (begun, [])
            case .data(let bytes): part?.content.append(contentsOf: bytes)
            case .end:
              if let part { try add(part.head, part.content) }
              part = nil
            }
          }
        }
      }
      try reader.finish()
    } catch let fault as MultipartFault {
      throw problem(fault, in: part?.head)
    } catch let problem as Problem { throw problem } catch { throw unreadBody(error) }
    guard !photos.isEmpty else {
      throw Problem(.missingField, "photo is missing: send at least one picture", field: "photo")
    }
  }

  /// The account that sends a page's form pays for it.
  private var fields: [String: Int] {
    guard gate != nil else { return Self.fields }
    let own = Self.fields.filter { ["note", "marketplace"].contains($0.key) }
    return own.merging([FormToken.field: 200]) { own, _ in own }
  }

  private static let tooLong = Problem(
    .bodyTooLarge,
    "a request may have up to \(longestBody >> 20) MiB, and a photo up to \(Photo.longest >> 20)",
    field: part)

  private func problem(_ fault: MultipartFault, in head: MultipartPart?) -> Problem {
    switch fault.reason {
    case .longPart(Self.part, let limit):
      let name = head?.name == Self.part ? name(head) : "a photo"
      return Problem(
        .bodyTooLarge, "\(name): a photo may have up to \(limit >> 20) MiB", field: Self.part)
    case .longPart(let name, let limit):
      let shown = name.inOneLine(atMost: 100)
      return Problem(.invalidField, "\(shown) may have up to \(limit) bytes", field: shown)
    case .longBody: return Self.tooLong
    case .tooManyParts: return Self.tooMany
    default: return Problem(.unreadableBody, "\(fault)")
    }
  }

  private static let tooMany = Problem(
    .invalidField,
    "there are more than \(PhotoBook.mostTogether) photos, or parts beside them that are no field",
    field: part)

  /// What to call the next photo.
  private func name(_ head: MultipartPart?) -> String {
    let name = (head?.filename ?? "").inOneLine(atMost: MultipartPart.longestName)
    return name.isEmpty ? "photo \(photos.count + 1)" : name
  }

  /// Takes the first of its photos out of it, so that it is not kept longer than it is needed.
  mutating func takePhoto() -> File? { photos.isEmpty ? nil : photos.removeFirst() }

  private mutating func add(_ head: MultipartPart, _ content: [UInt8]) throws(Problem) {
    let name = head.name.inOneLine(atMost: 100)
    if head.name == Self.part {
      // So browsers send a field for a file where none was chosen.
      if content.isEmpty, head.filename?.isEmpty ?? true { return }
      guard photos.count < PhotoBook.mostTogether else {
        throw Problem(
          .invalidField, "there are more than \(PhotoBook.mostTogether) photos", field: Self.part)
      }
      return photos.append(
        File(name: self.name(head), type: head.contentType, content: content))
    }
    guard fields[head.name] != nil else {
      throw Problem(
        .invalidField,
        "there is no field “\(name)”; there are photo,"
          + " \(fields.keys.sorted().joined(separator: ", "))",
        field: name)
    }
    guard texts[head.name] == nil else {
      throw Problem(.invalidField, "\(name) stands twice; send one of them", field: name)
    }
    guard let text = String(validating: content, as: UTF8.self) else {
      throw Problem(.invalidField, "\(name) must be text of UTF-8", field: name)
    }
    if head.name == FormToken.field {
      try gate?.admit(text)
      isAdmitted = true
    }
    let line = ListingTitle.oneLine(text)
    if !line.isEmpty { texts[head.name] = line }
  }
}
