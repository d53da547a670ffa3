/// Why a document is not sent anywhere.
package enum DocumentFault: Error, Hashable, Sendable {
  /// There are no bytes.
  case empty
  /// The file is longer than allowed, in bytes.
  case tooLong(bytes: Int, limit: Int)
  /// The bytes are none of the kinds of ``DocumentKind``.
  case unknown
  /// The bytes are another kind than was said.
  case mismatch(declared: String, found: DocumentKind)
  /// An image breaks a rule of its format.
  case damaged(DocumentKind, Damage)
  /// An image is larger than allowed, in pixels.
  case tooLarge(DocumentKind, width: Int, height: Int, side: Int, pixels: Int)
  /// A PDF needs a password or restricts what may be done with it.
  case encrypted
  /// The structures of a PDF inflate to more than allowed, in bytes.
  case bomb(limit: Int)
  /// A PDF has more pages than allowed.
  case tooManyPages(limit: Int)
  /// A PDF has no page that can be found.
  case noPages
  /// A list of objects in a PDF cannot be read, so that its pages cannot be counted.
  case unreadableObjects
  /// The structures of a PDF refer to each other so that following them takes too long.
  case tangled

  /// What is wrong with an image.
  package enum Damage: String, Hashable, Sendable {
    case cut = "it ends too early"
    case header = "its header is damaged"
    case checksum = "the checksum of its header is wrong"
    case noSize = "its size is not where it must be"
    case noPixels = "there is no picture in it"
    case twoSizes = "it names two sizes"
  }

  /// A short bounded name for metrics and log fields, without values.
  package var label: StaticString {
    switch self {
    case .empty: "empty"
    case .tooLong: "too_long"
    case .unknown: "unknown"
    case .mismatch: "mismatch"
    case .damaged: "damaged"
    case .tooLarge: "too_large"
    case .encrypted: "encrypted"
    case .bomb: "bomb"
    case .tooManyPages: "too_many_pages"
    case .noPages: "no_pages"
    case .unreadableObjects: "unreadable_objects"
    case .tangled: "tangled"
    }
  }
}

extension DocumentFault: CustomStringConvertible {
  /// A sentence for whoever sent the document.
  package var description: String {
    switch self {
    case .empty: "The file is empty."
    case .tooLong(let bytes, let limit):
      "The file has \(bytes) bytes; at most \(limit) are accepted."
    case .unknown: "The file is neither a PDF nor a PNG, JPEG or WebP image."
    case .mismatch(let declared, let found):
      "The file was sent as \(declared.shortened), but it is \(found.mediaType)."
    case .damaged(let kind, let damage): "The \(kind.name) is damaged: \(damage.rawValue)."
    case .tooLarge(let kind, let width, let height, let side, let pixels):
      "The \(kind.name) has \(width) × \(height) pixels; at most \(side) on a side and \(pixels) "
        + "in all are accepted."
    case .encrypted: "The PDF is encrypted; save it without a password and send it again."
    case .bomb(let limit):
      "The PDF unpacks to more than \(limit) bytes of structure and is not read any further."
    case .tooManyPages(let limit): "The PDF has more than \(limit) pages."
    case .noPages: "No page could be found in the PDF."
    case .unreadableObjects:
      "The PDF has a list of objects that cannot be read, so its pages cannot be counted."
    case .tangled:
      "The structures of the PDF refer to each other in too many ways to count its pages."
    }
  }
}
