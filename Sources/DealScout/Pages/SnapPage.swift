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
    /// Where the things are to be sold, as it was chosen last.
    var marketplace = EbayMarketplace.unitedStates
    /// What was typed beside photos that were not taken.
    var note = ""
    /// Why the last upload was not taken, in a sentence.
    var fault: String?
    /// Where there are drafts that are not sold.
    var exports: [EbayMarketplace] = []
    /// Where the part of the list begins that is shown; empty: at its beginning.
    var cursor = ""
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
    struct MadeDraft: Hashable, Sendable {
      var made: Timestamp
      var price: EbayMoney?
      /// The file to export; nil: there is none.
      var file: OwnPath?
    }

    var id: String
    var added: Timestamp
    var state: State
    var photoCount: Int
    /// The photos that are still kept, at paths of Tollbook's own.
    var photos: [OwnPath] = []
    var marketplace = EbayMarketplace.unitedStates
    var product = ""
    var condition = ""
    var defects: [String] = []
    var title = ""
    /// Nil: nothing was looked for yet.
    var price: Price?
    var draft: MadeDraft?
    /// What stands in the form that makes a draft; nil: there is none.
    var form: DraftForm?
  }

  /// The form that makes a draft, filled in with what was found, or with what was typed.
  struct DraftForm: Hashable, Sendable {
    var title = ""
    /// The name of a ``ConditionGroup``; empty: none is chosen.
    var condition = ""
    /// In the currency of the marketplace.
    var price = ""
    var description = ""
    /// What is wrong with a field, in a sentence; under no name, with the draft as a whole.
    var faults: [String: String] = [:]
  }

  /// The name of the field with the photos. The token stands before it.
  static let photosField = SnapForm.part
  /// The fields of the form that makes a draft, sent to `/snap/drafts`: the snap, what the draft says, and where the list
  /// began that the form stood in.
  static let draftFields = ["snap", "title", "condition", "price", "description", "cursor"]

  /// - Parameter status: of HTTP, where something was not taken.
  static func page(_ content: Content, status: Int = 200) -> Page {
    Page("Photo desk", status: status) { html(content) }
  }

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
      HTML(.div, .class("field")) {
        HTML(.label, .for("marketplace")) { "To be sold on" }
        HTML(.select, .id("marketplace"), .name("marketplace")) {
          for site in EbayMarketplace.allCases {
            HTML(.option, .value(site.id), .selected(site == content.marketplace)) { site.name }
          }
        }
      }
      HTML(.div, .class("field")) {
        HTML(.label, .for("note")) { "What you know of it (may stay empty)" }
        HTML(
          .input, .id("note"), .name("note"), .type(.text), .value(content.note),
          .maxLength(SnapForm.longestNote), .autocomplete("off"))
      }
      HTML(.button, .submit, .class("primary")) { "Send photos" }
    }
  }

  private static func hint(_ content: Content) -> String {
    let types = content.photoTypes.map { $0.replacing("image/", with: "").uppercased() }
    let limit =
      "Up to \(PageWords.count(content.mostPhotos, "photo")) of up to"
      + " \(content.longestPhoto >> 20) MB each: \(types.joined(separator: ", "))."
    return "\(limit) A model reads them, which costs what its provider asks."
  }

  private static func exportPath(_ site: EbayMarketplace) -> OwnPath {
    OwnPath("/snap/drafts/export", query: [("marketplace", site.id)]) ?? "/snap/drafts/export"
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
      for site in content.exports {
        HTML(.p) {
          HTML(.a, .class("button"), .href(WebAddress(exportPath(site)))) {
            "All drafts for \(site.name) as a file"
          }
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
