import Extraction
import JSONText
import TollbookEvents

/// What is known of a photo of an account, also when the picture is gone.
struct PhotoRecord: Hashable, Sendable {
  /// Of the picture as it is kept, with a key of its account: who does not have it cannot try out which picture it is.
  let digest: String
  let kind: DocumentKind
  let width: Int
  let height: Int
  /// The length of the file.
  let bytes: Int
  /// When it was sent in last.
  let added: Timestamp
  /// When the picture was deleted; nil: it is there.
  var deleted: Timestamp?

  init(_ photo: Photo, digest: String, added: Timestamp) {
    self.digest = digest
    kind = photo.kind
    width = photo.width
    height = photo.height
    bytes = photo.bytes.count
    self.added = added
  }

  /// Whether its time is over.
  func isOver(afterDays days: Int64, at now: Timestamp) -> Bool {
    now >= added.advanced(byMilliseconds: days * 86_400_000)
  }

  // MARK: As it is kept

  var content: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("type", kind.rawValue)
      json.field("width", width)
      json.field("height", height)
      json.field("bytes", bytes)
      json.field("added_ms", added.milliseconds)
      json.fieldIfPresent("deleted_ms", deleted?.milliseconds)
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ content: [UInt8], digest: String) {
    guard let root = try? JSONDocument(content, maximumDepth: 4, maximumValues: 40).root,
      let kind = root["type"]?.string.flatMap({ DocumentKind(rawValue: $0) }),
      let width = root["width"]?.int, let height = root["height"]?.int,
      let bytes = root["bytes"]?.int, let added = root["added_ms"]?.int64
    else { return nil }
    self.digest = digest
    self.kind = kind
    self.width = width
    self.height = height
    self.bytes = bytes
    self.added = Timestamp(milliseconds: added)
    deleted = root["deleted_ms"]?.int64.map { Timestamp(milliseconds: $0) }
  }

  // MARK: As it is shown

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("digest", digest)
      json.field("type", kind.mediaType)
      json.field("width", width)
      json.field("height", height)
      json.field("bytes", bytes)
      json.field("added_at", added.description)
      json.field("deleted_at", deleted?.description)
      json.field("url", deleted == nil ? "/seller/photos/\(digest)" : nil)
    }
  }
}
