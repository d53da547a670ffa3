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
            "With shipping; likely \(PageWords.money(low, currency)) to "
              + "\(PageWords.money(high, currency)), \(confidence) confidence"
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
          draft.price.map { " for \(PageWords.money($0.minorUnits, $0.currency))" } ?? ""
        }
      }
      if let file = snap.draft?.file {
        HTML(.p) { HTML(.a, .class("button"), .href(WebAddress(file))) { "Export file" } }
      }
      if let form = snap.form { draft(form, of: snap, index, content) }
    }
  }

  private static func draft(
    _ form: SnapPage.DraftForm, of snap: SnapPage.Snap, _ index: Int, _ content: SnapPage.Content
  ) -> HTML {
    HTML(.details, .open(!form.faults.isEmpty)) {
      HTML(.summary) { "Make a draft" }
      HTML(.form, .class("draft"), .post, .action("/snap/drafts")) {
        HTML.token(content.token)
        HTML(.input, .type(.hidden), .name("snap"), .value(snap.id))
        HTML(.input, .type(.hidden), .name("cursor"), .value(content.cursor))
        if let fault = form.faults[""] { HTML(.p, .class("fault"), .alert) { fault } }
        field("title", "Title", index, form) { id, described, invalid in
          HTML(
            .input, .id(id), .name("title"), .type(.text), .value(form.title), .required,
            .maxLength(ListingTitle.longest), described, invalid)
        }
        condition(form, index)
        field("price", "Price in \(snap.marketplace.currency)", index, form) {
          id, described, invalid in
          HTML(
            .input, .id(id), .name("price"), .type(.text), .inputMode(.decimal),
            .value(form.price), .required, .maxLength(EbayMoney.mostBytes), .autocomplete("off"),
            described, invalid)
        }
        field("description", "Description", index, form) { id, described, invalid in
          HTML(.textarea, .id(id), .name("description"), .rows(4), described, invalid) {
            form.description
          }
        }
        HTML(.button, .submit, .class("primary")) { "Make draft" }
        HTML(.p, .class("hint")) {
          "A draft for \(snap.marketplace.name) is kept here, with a file to export."
            + " Nothing is published."
        }
      }
    }
  }

  private static func condition(_ form: SnapPage.DraftForm, _ index: Int) -> HTML {
    let names = ConditionGroup.allCases.map(\.rawValue)
    return field("condition", "Condition", index, form) { id, described, invalid in
      HTML(.select, .id(id), .name("condition"), .required, described, invalid) {
        // What was sent and is none is not lost, and nothing is chosen for who has not chosen.
        if !names.contains(form.condition) {
          HTML(.option, .value(form.condition), .selected(true)) { form.condition }
        }
        for group in ConditionGroup.allCases {
          HTML(.option, .value(group.rawValue), .selected(group.rawValue == form.condition)) {
            group.title
          }
        }
      }
    }
  }

  private static func field(
    _ name: String, _ label: String, _ index: Int, _ form: SnapPage.DraftForm,
    _ input: (_ id: String, HTML.Attribute?, HTML.Attribute?) -> HTML
  ) -> HTML {
    let id = "snap-\(index)-\(name)"
    let fault = form.faults[name]
    return HTML(.div, .class("field")) {
      HTML(.label, .for(id)) { label }
      input(id, fault.map { _ in .described(by: "\(id)-fault") }, fault.map { _ in .invalid })
      if let fault { HTML(.p, .class("fault"), .id("\(id)-fault")) { fault } }
    }
  }
}
