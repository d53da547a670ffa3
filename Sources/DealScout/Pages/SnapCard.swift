import TollbookEvents
import TollbookHTTP

/// One set of photos in the list: what was seen in them, what to ask, and the form that makes a draft.
enum SnapCard {
  /// The most photos that are shown of one set.
  private static let mostShown = 4

  static func html(_ snap: SnapPage.Snap, index: Int, _ content: SnapPage.Content) -> HTML {
    let id = "snap-\(index)"
    return HTML(.article, .class("card"), .labelled(by: id)) {
      photos(snap)
      HTML(.h2, .id(id)) { heading(snap) }
      HTML(.ul, .class("badges"), .list, .label("Notes")) {
        state(snap.state)
        if !snap.condition.isEmpty {
          HTML(.li, .class("badge")) { HTML.foreign(snap.condition) }
        }
        if snap.draft != nil { HTML(.li, .class("badge good")) { "Draft made" } }
      }
      if case .failed(let reason) = snap.state { HTML(.p) { reason } }
      facts(snap)
      if let price = snap.price { suggestion(price) }
      foot(snap, index, content)
    }
  }

  private static func photos(_ snap: SnapPage.Snap) -> HTML? {
    guard !snap.photos.isEmpty else { return nil }
    return HTML(.ul, .class("photos"), .list, .label("Photos")) {
      for (index, path) in snap.photos.prefix(mostShown).enumerated() {
        HTML(.li) {
          HTML(
            .img, .class("photo"), .src(WebAddress(path)), .alt("Photo \(index + 1)"), .width(96),
            .height(96), .loadingLazily)
        }
      }
    }
  }

  private static func heading(_ snap: SnapPage.Snap) -> HTML {
    let text = snap.title.isEmpty ? snap.product : snap.title
    return text.isEmpty
      ? HTML(PageWords.count(snap.photoCount, "photo")) : HTML.foreign(text)
  }

  private static func state(_ state: SnapPage.Snap.State) -> HTML {
    switch state {
    case .waiting: HTML(.li, .class("badge")) { "Waiting" }
    case .reading: HTML(.li, .class("badge")) { "Being read" }
    case .done: HTML(.li, .class("badge good")) { "Read" }
    case .failed: HTML(.li, .class("badge bad")) { "Not read" }
    }
  }

  private static func facts(_ snap: SnapPage.Snap) -> HTML? {
    guard !snap.product.isEmpty || !snap.defects.isEmpty else { return nil }
    return HTML(.dl, .class("facts")) {
      if !snap.product.isEmpty {
        HTML(.dt) { "Product" }
        HTML(.dd) { HTML.foreign(snap.product) }
      }
      if !snap.defects.isEmpty {
        HTML(.dt) { "Defects" }
        HTML(.dd) { HTML.foreign(snap.defects.joined(separator: "; ")) }
      }
    }
  }

  private static func suggestion(_ price: SnapPage.Snap.Price) -> HTML {
    switch price {
    case .refused(let reason):
      HTML(.p) {
        HTML(.strong) { "No price is suggested. " }
        reason
      }
    case .suggested(let amount, let low, let high, let currency, let confidence, let basis):
      HTML {
        HTML(.div) {
          HTML(.p, .class("price")) { PageWords.money(amount, currency) }
          HTML(.p, .class("parts")) {
            "Likely \(PageWords.money(low, currency)) to \(PageWords.money(high, currency)), "
              + "\(confidence) confidence"
          }
        }
        if !basis.isEmpty {
          HTML(.details) {
            HTML(.summary) { "What this rests on" }
            HTML(.ul) { for reason in basis { HTML(.li) { HTML.foreign(reason) } } }
          }
        }
      }
    }
  }

  // MARK: Draft

  private static func foot(
    _ snap: SnapPage.Snap, _ index: Int, _ content: SnapPage.Content
  ) -> HTML {
    HTML(.div, .class("card-foot")) {
      HTML(.p, .class("when")) {
        "\(PageWords.count(snap.photoCount, "photo")) sent in "
        HTML.time(snap.added, PageWords.age(of: snap.added, at: content.now))
        if let draft = snap.draft {
          ", draft made "
          HTML.time(draft.made, PageWords.age(of: draft.made, at: content.now))
        }
      }
      if let file = snap.draft?.file {
        HTML(.p) { HTML(.a, .class("button"), .href(WebAddress(file))) { "Export file" } }
      }
      if snap.state == .done, snap.draft == nil { draft(snap, index, content.token) }
    }
  }

  private static func draft(
    _ snap: SnapPage.Snap, _ index: Int, _ token: FormToken
  ) -> HTML {
    HTML(.details) {
      HTML(.summary) { "Make a draft" }
      HTML(.form, .class("draft"), .post, .action("/snap/drafts")) {
        HTML.token(token)
        HTML(.input, .type(.hidden), .name("snap"), .value(snap.id))
        HTML(.input, .type(.hidden), .name("key"), .value(snap.draftKey))
        field("title", "Title", index) { id in
          HTML(
            .input, .id(id), .name("title"), .type(.text), .value(snap.title), .required,
            .maxLength(SnapPage.longestTitle))
        }
        field("condition", "Condition", index) { id in
          HTML(
            .input, .id(id), .name("condition"), .type(.text), .value(snap.condition),
            .maxLength(100))
        }
        price(snap, index)
        HTML(.button, .submit, .class("primary")) { "Make draft" }
        HTML(.p, .class("hint")) {
          "A draft is kept here, with a file to export. Nothing is published."
        }
      }
    }
  }

  private static func price(_ snap: SnapPage.Snap, _ index: Int) -> HTML {
    var value = ""
    var currency = ""
    if case .suggested(let amount, _, _, let unit, _, _)? = snap.price {
      value = EbayMoney(minorUnits: amount, unit)?.plainText ?? ""
      currency = unit.code
    }
    return HTML {
      field("price", currency.isEmpty ? "Price" : "Price in \(currency)", index) { id in
        HTML(
          .input, .id(id), .name("price"), .type(.text), .inputMode(.decimal), .value(value),
          .required, .maxLength(20), .autocomplete("off"))
      }
      if currency.isEmpty {
        field("currency", "Currency", index) { id in
          HTML(
            .input, .id(id), .name("currency"), .type(.text), .placeholder("USD"), .required,
            .maxLength(3), .autocomplete("off"))
        }
      } else {
        HTML(.input, .type(.hidden), .name("currency"), .value(currency))
      }
    }
  }

  private static func field(
    _ name: String, _ label: String, _ index: Int, _ input: (String) -> HTML
  ) -> HTML {
    let id = "snap-\(index)-\(name)"
    return HTML(.div, .class("field")) {
      HTML(.label, .for(id)) { label }
      input(id)
    }
  }
}
