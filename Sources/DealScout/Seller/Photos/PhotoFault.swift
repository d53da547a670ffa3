import Extraction
import TollbookEvents

/// Why a photo is not taken.
struct PhotoFault: Error, Hashable, Sendable, CustomStringConvertible {
  enum Reason: Hashable, Sendable {
    case document(DocumentFault)
    /// A document, and no picture.
    case noPicture(DocumentKind)
    /// A part of it does not lie in the file, or not where it must be.
    case damaged(DocumentKind, String)
  }

  let reason: Reason

  init(_ reason: Reason) { self.reason = reason }

  var description: String {
    switch reason {
    case .document(.unknown): "The file is no JPEG, PNG or WebP image."
    case .document(let fault): "\(fault)"
    case .noPicture(let kind):
      "The file is a \(kind.name); a photo is a JPEG, PNG or WebP image."
    case .damaged(let kind, let what): "The \(kind.name) is damaged: \(what)."
    }
  }
}
