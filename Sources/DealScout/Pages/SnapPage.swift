import TollbookEvents
import TollbookHTTP

/// The seller's photo desk, made of nothing but what it is told: photos are sent in, and of each set comes what the thing
/// is, what to ask for it, and a draft.
enum SnapPage {
  /// What the page shows.
  struct Content: Hashable, Sendable {
    /// Newest first.
    var snaps: [Snap] = []
    /// Where the list goes on; nil: it ends here.
    var next: OwnPath?
    /// The most photos of one snap.
    var mostPhotos = 12
    /// The longest photo, in bytes.
    var longestPhoto = 20 << 20
    /// The media types of the photos that are taken.
    var photoTypes = ["image/jpeg", "image/png", "image/webp"]
    /// What the reading of a set of photos costs at most, in words; nil: it is not told.
    var cost: String?
    /// Why the last upload was not taken, in a sentence.
    var fault: String?
    var now: Timestamp
    var token: FormToken

    init(now: Timestamp, token: FormToken) {
      self.now = now
      self.token = token
    }
  }

  /// Photos of one thing, and what has become of them.
  struct Snap: Hashable, Sendable {
    enum State: Hashable, Sendable {
      case waiting, reading, done
      /// Why, in a sentence.
      case failed(String)
    }

    /// What to ask for it.
    enum Price: Hashable, Sendable {
      /// In minor units; `low` and `high` are the range that is likely.
      case suggested(
        Int64, low: Int64, high: Int64, currency: EbayCurrency, confidence: String,
        basis: [String])
      /// Why none is suggested, in a sentence.
      case refused(String)
    }

    /// A draft that was made of it.
    struct Draft: Hashable, Sendable {
      var made: Timestamp
      /// The file to export; nil: there is none.
      var file: OwnPath?
    }

    var id: String
    var added: Timestamp
    var state: State
    var photoCount: Int
    /// The photos that are still kept, at paths of Tollbook's own.
    var photos: [OwnPath] = []
    var product = ""
    var condition = ""
    var defects: [String] = []
    var title = ""
    /// Nil: nothing was looked for yet.
    var price: Price?
    var draft: Draft?
    /// Names the draft, so that a form that is sent twice makes one.
    var draftKey = ""
  }

  /// The name of the field with the photos. The token stands before it.
  static let photosField = "photos"
  /// The fields of the form that makes a draft, sent to `/snap/drafts`: the snap, the key of the draft, its title, condition
  /// and price, and the price's currency.
  static let draftFields = ["snap", "key", "title", "condition", "price", "currency"]
  /// The longest title of a draft, in characters.
  static let longestTitle = 80

  static func page(_ content: Content) -> Page { Page("Photo desk") { html(content) } }

  /// What stands below the heading.
  static func html(_ content: Content) -> HTML {
    HTML {
      upload(content)
      if content.snaps.isEmpty {
        HTML(.section, .class("empty")) {
          HTML(.h2) { "Nothing was sent in yet" }
          HTML(.p) {
            "Take photos of one thing: the front, the back, its label, and whatever is damaged."
              + " Send them together; what it is and what it may bring is here a little later."
          }
        }
      } else {
        list(content)
      }
    }
  }

  // MARK: Upload

  private static func upload(_ content: Content) -> HTML {
    HTML(
      .form, .class("panel narrow"), .post, .multipart, .action("/snap"),
      .label("Send photos in")
    ) {
      HTML.token(content.token)
      if let fault = content.fault {
        HTML(.p, .class("fault"), .id("photos-fault"), .alert) { fault }
      }
      HTML(.div, .class("field")) {
        HTML(.label, .for("photos")) { "Photos of one thing" }
        HTML(
          .input, .id("photos"), .name(photosField), .type(.file), .multiple, .required,
          .accept(content.photoTypes.joined(separator: ",")),
          .described(by: content.fault == nil ? "photos-hint" : "photos-fault photos-hint"),
          content.fault == nil ? nil : .invalid)
        HTML(.p, .class("hint"), .id("photos-hint")) { hint(content) }
      }
      HTML(.button, .submit, .class("primary")) { "Send photos" }
    }
  }

  private static func hint(_ content: Content) -> String {
    let types = content.photoTypes.map { $0.replacing("image/", with: "").uppercased() }
    let limit =
      "Up to \(PageWords.count(content.mostPhotos, "photo")) of up to"
      + " \(content.longestPhoto >> 20) MB each: \(types.joined(separator: ", "))."
    return content.cost.map { "\(limit) Reading them costs at most \($0)." } ?? limit
  }

  // MARK: Snaps

  private static func list(_ content: Content) -> HTML {
    HTML {
      if content.snaps.contains(where: { $0.state == .waiting || $0.state == .reading }) {
        HTML(.p, .class("notice"), .status) {
          "Photos are being read. "
          HTML(.a, .href(WebAddress(OwnPath("/snap")))) { "Look again" }
        }
      }
      HTML(.ul, .class("cards loose"), .list, .label("What was sent in")) {
        for (index, snap) in content.snaps.enumerated() {
          HTML(.li) { SnapCard.html(snap, index: index, content) }
        }
      }
      if let next = content.next {
        HTML(.p) { HTML(.a, .class("button"), .href(WebAddress(next))) { "Older ones" } }
      }
    }
  }
}
