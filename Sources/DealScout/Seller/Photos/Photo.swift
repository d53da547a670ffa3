import Extraction

/// A picture that a client sent in, without what it told beside the picture.
struct Photo: Hashable, Sendable {
  /// The longest file, in bytes.
  static let longest = 20 << 20
  /// The largest area, in pixels.
  static let mostPixels = 50_000_000

  let kind: DocumentKind
  let width: Int
  let height: Int
  /// As it is kept, shown and sent on.
  let bytes: [UInt8]

  /// Looks at a file and takes out of it what is no part of the picture: see ``PhotoCleaning``.
  ///
  /// - Parameter declared: the media type that came with it; nil: none did.
  init(of file: [UInt8], declared: String?) throws(PhotoFault) {
    // The pages of a document are not counted.
    if DocumentKind(of: file) == .pdf { throw PhotoFault(.noPicture(.pdf)) }
    let facts: DocumentFacts
    do throws(DocumentFault) {
      facts = try DocumentFacts(
        of: file, declared: declared,
        limits: DocumentLimits(bytes: Self.longest, pixels: Self.mostPixels))
    } catch { throw PhotoFault(.document(error)) }
    guard let width = facts.width, let height = facts.height else {
      throw PhotoFault(.noPicture(facts.kind))
    }
    bytes = try PhotoCleaning.cleaned(file, facts.kind)
    kind = facts.kind
    self.width = width
    self.height = height
  }
}
