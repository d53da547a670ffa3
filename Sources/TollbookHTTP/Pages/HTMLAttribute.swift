extension HTML {
  /// An attribute. There is none that holds a script or a style, and an address is one only as a ``WebAddress``.
  package struct Attribute: Hashable, Sendable {
    let name: String
    /// Nil: it stands for yes by being there.
    let value: String?

    private init(_ name: String, _ value: String?) {
      self.name = name
      self.value = value
    }

    private static func flag(_ name: String, _ isSet: Bool) -> Attribute? {
      isSet ? Attribute(name, nil) : nil
    }

    package static func `class`(_ names: String) -> Attribute { Attribute("class", names) }
    package static func id(_ id: String) -> Attribute { Attribute("id", id) }
    package static func lang(_ language: String) -> Attribute { Attribute("lang", language) }
    package static func datetime(_ instant: String) -> Attribute { Attribute("datetime", instant) }
    package static func scope(_ scope: String) -> Attribute { Attribute("scope", scope) }
    package static func open(_ isOpen: Bool) -> Attribute? { flag("open", isOpen) }
  }
}

// MARK: Addresses and pictures

extension HTML.Attribute {
  package static func href(_ address: WebAddress) -> Self { Self("href", address.text) }
  package static func src(_ address: WebAddress) -> Self { Self("src", address.text) }
  package static func alt(_ text: String) -> Self { Self("alt", text) }
  package static func width(_ pixels: Int) -> Self { Self("width", "\(pixels)") }
  package static func height(_ pixels: Int) -> Self { Self("height", "\(pixels)") }
  /// A picture that is fetched when it comes near to the screen.
  package static let loadingLazily = Self("loading", "lazy")
  package static let withoutReferrer = Self("referrerpolicy", "no-referrer")
  /// A link to a site of somebody else's.
  package static let toOtherSite = Self("rel", "noopener noreferrer external")

  static func rel(_ relation: String) -> Self { Self("rel", relation) }
  static func charset(_ charset: String) -> Self { Self("charset", charset) }
  static func content(_ content: String) -> Self { Self("content", content) }
  static func tabindex(_ index: Int) -> Self { Self("tabindex", "\(index)") }
}

// MARK: Forms

extension HTML.Attribute {
  /// How a field of a form is filled in.
  package enum InputType: String, Hashable, Sendable {
    case text, search, number, password, hidden, file, checkbox, radio
    case dateTime = "datetime-local"
  }

  /// What a phone's keyboard shows.
  package enum InputMode: String, Hashable, Sendable { case decimal, numeric, search, text }

  package static func type(_ type: InputType) -> Self { Self("type", type.rawValue) }
  /// A button that sends its form.
  package static let submit = Self("type", "submit")
  package static func inputMode(_ mode: InputMode) -> Self { Self("inputmode", mode.rawValue) }
  package static func name(_ name: String) -> Self { Self("name", name) }
  package static func value(_ value: String) -> Self { Self("value", value) }
  package static func placeholder(_ text: String) -> Self { Self("placeholder", text) }
  package static func autocomplete(_ what: String) -> Self { Self("autocomplete", what) }
  package static let withoutSpellcheck = Self("spellcheck", "false")
  package static let withoutCapitals = Self("autocapitalize", "off")
  package static func min(_ value: Int) -> Self { Self("min", "\(value)") }
  package static func max(_ value: Int) -> Self { Self("max", "\(value)") }
  package static func maxLength(_ count: Int) -> Self { Self("maxlength", "\(count)") }
  package static func rows(_ count: Int) -> Self { Self("rows", "\(count)") }
  package static func accept(_ types: String) -> Self { Self("accept", types) }
  package static let multiple = Self("multiple", nil)
  package static let required = Self("required", nil)
  package static func selected(_ isSelected: Bool) -> Self? { flag("selected", isSelected) }
  package static func checked(_ isChecked: Bool) -> Self? { flag("checked", isChecked) }
  package static func `for`(_ id: String) -> Self { Self("for", id) }
  package static let get = Self("method", "get")
  package static let post = Self("method", "post")
  package static let multipart = Self("enctype", "multipart/form-data")
  /// Where a form is sent: only to Tollbook itself.
  package static func action(_ path: OwnPath) -> Self { Self("action", path.text) }
}

// MARK: For who does not see the page

extension HTML.Attribute {
  package static func label(_ text: String) -> Self { Self("aria-label", text) }
  package static func labelled(by id: String) -> Self { Self("aria-labelledby", id) }
  package static func described(by id: String) -> Self { Self("aria-describedby", id) }
  package static let current = Self("aria-current", "page")
  package static let invalid = Self("aria-invalid", "true")
  package static func pressed(_ isPressed: Bool) -> Self { Self("aria-pressed", "\(isPressed)") }
  package static let isDecoration = Self("aria-hidden", "true")
  /// What is read out at once.
  package static let alert = Self("role", "alert")
  package static let status = Self("role", "status")
  /// A list that is read out as one, though it has no marks.
  package static let list = Self("role", "list")
}
