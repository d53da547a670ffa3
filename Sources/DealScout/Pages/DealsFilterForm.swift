import TollbookHTTP

/// The form that narrows the list of deals, and keeps what was typed.
enum DealsFilterForm {
  static func html(_ content: DealsPage.Content) -> HTML {
    let filter = content.filter
    let hasHiddenFault = content.faults.keys.contains { $0 != "q" && $0 != "sort" }
    return HTML(.form, .class("panel"), .get, .action("/deals"), .label("Filter the deals")) {
      HTML(.div, .class("row")) {
        field("q", "Search words", content.faults) { attributes in
          HTML(
            .input, .id("q"), .name("q"), .type(.search), .value(filter.q), .maxLength(200),
            .autocomplete("off"), attributes.described, attributes.invalid)
        }
        choice("sort", "Sort by", filter.sort, content.sorts, content.faults)
        HTML(.button, .submit, .class("primary")) { "Show deals" }
      }
      HTML(.details, .open(filter.moreCount > 0 || hasHiddenFault)) {
        HTML(.summary) {
          filter.moreCount == 0 ? "More filters" : "More filters (\(filter.moreCount) set)"
        }
        more(filter, content)
      }
      if !filter.isEmpty {
        HTML(.p, .class("hint")) {
          HTML(.a, .href(WebAddress(DealsFilter.none))) { "Take all filters away" }
        }
      }
    }
  }

  private static func more(_ filter: DealsFilter, _ content: DealsPage.Content) -> HTML {
    let faults = content.faults
    return HTML(.div, .class("fields")) {
      text("min_price", "Lowest total", filter.minPrice, .decimal, "0.00", faults)
      text("max_price", "Highest total", filter.maxPrice, .decimal, "any", faults)
      choice("condition", "Condition", filter.condition, content.conditions, faults)
      text("min_score", "Lowest score", filter.minScore, .numeric, "0 to 100", faults)
      choice("confidence", "Confidence", filter.confidence, content.confidences, faults)
      field("ends_before", "Ends before (UTC)", faults) { attributes in
        HTML(
          .input, .id("ends_before"), .name("ends_before"), .type(.dateTime),
          .value(localTime(filter.endsBefore)), attributes.described, attributes.invalid)
      }
      text("category", "Category number", filter.category, .numeric, "any", faults)
      text("marketplace", "Site", filter.marketplace, .text, "any, such as EBAY_US", faults)
    }
  }

  /// As a field for an instant takes it: `2026-11-21T08:00`. What is no instant is kept as it was typed.
  private static func localTime(_ text: String) -> String {
    text.hasSuffix("Z") ? String(text.dropLast().prefix(16)) : text
  }

  private static func text(
    _ name: String, _ label: String, _ value: String, _ mode: HTML.Attribute.InputMode,
    _ hint: String, _ faults: [String: String]
  ) -> HTML {
    field(name, label, faults) { attributes in
      HTML(
        .input, .id(name), .name(name), .type(.text), .inputMode(mode), .value(value),
        .placeholder(hint), .maxLength(40), .autocomplete("off"), attributes.described,
        attributes.invalid)
    }
  }

  private static func choice(
    _ name: String, _ label: String, _ value: String, _ choices: [DealsPage.Choice],
    _ faults: [String: String]
  ) -> HTML {
    field(name, label, faults) { attributes in
      HTML(.select, .id(name), .name(name), attributes.described, attributes.invalid) {
        for choice in choices {
          HTML(.option, .value(choice.value), .selected(choice.value == value)) { choice.title }
        }
        // What was asked for and is not offered is not lost.
        if !choices.contains(where: { $0.value == value }) {
          HTML(.option, .value(value), .selected(true)) { value }
        }
      }
    }
  }

  private struct Attributes {
    var described: HTML.Attribute?
    var invalid: HTML.Attribute?
  }

  private static func field(
    _ name: String, _ label: String, _ faults: [String: String], _ input: (Attributes) -> HTML
  ) -> HTML {
    let fault = faults[name]
    let id = "\(name)-fault"
    let attributes =
      fault == nil ? Attributes() : Attributes(described: .described(by: id), invalid: .invalid)
    return HTML(.div, .class("field")) {
      HTML(.label, .for(name)) { label }
      input(attributes)
      if let fault { HTML(.p, .class("fault"), .id(id)) { fault } }
    }
  }
}
