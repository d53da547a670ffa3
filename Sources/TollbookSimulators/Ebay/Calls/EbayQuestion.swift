/// The words of a search: all of the clauses must be met, each by one of its phrases, of which all words must be there.
struct EbayWording: Sendable, Equatable {
  var clauses: [[[String]]] = []

  /// The most clauses that are looked at.
  private static let mostClauses = 64

  /// Reads `a b` as both and `(a, b)` as one of them.
  init(_ text: String) {
    var rest = text[...]
    while !rest.isEmpty, clauses.count < Self.mostClauses {
      if rest.first == "(", let close = rest.firstIndex(of: ")") {
        let inner = rest[rest.index(after: rest.startIndex)..<close]
        let phrases = inner.split(separator: ",").map { EbayWords.tokens(String($0)) }
          .filter { !$0.isEmpty }
        if !phrases.isEmpty { clauses.append(phrases) }
        rest = rest[rest.index(after: close)...]
      } else {
        let end = rest.dropFirst().firstIndex(of: "(") ?? rest.endIndex
        clauses += EbayWords.tokens(String(rest[..<end])).map { [[$0]] }
        rest = rest[end...]
      }
    }
  }

  /// What a listing of a family must have in its title beside the family's own words; nil: no listing of it can.
  func rest(_ family: EbayFamily) -> [[[String]]]? {
    var rest: [[[String]]] = []
    for phrases in clauses {
      let missing = phrases.map { $0.filter { !family.tokens.contains($0) } }
      if missing.contains(where: \.isEmpty) { continue }
      let possible = missing.filter { $0.allSatisfy(EbayWords.extras.contains) }
      guard !possible.isEmpty else { return nil }
      rest.append(possible)
    }
    return rest
  }

  /// Whether the words beside the family's are there.
  static func meets(_ rest: [[[String]]], _ tokens: Set<String>) -> Bool {
    rest.allSatisfy { $0.contains { $0.allSatisfy(tokens.contains) } }
  }
}

/// A search whose parameters were read and are right, or were left out with a warning.
struct EbayQuestion: Sendable {
  enum Sort: String, Sendable {
    case bestMatch = ""
    case price
    case priceDescending = "-price"
    case newlyListed
    case endingSoonest
    case distance
  }

  /// Aspects that a listing must have one value each of, in small letters.
  struct Aspect: Sendable, Equatable {
    let name: String
    let values: Set<String>
  }

  var wording: EbayWording?
  var category: String?
  var epid: String?
  var gtin: String?
  /// Whether nothing can be found, since what was to be searched by was left out or nobody has it.
  var isEmpty = false
  var limit = 50
  var offset = 0
  var sort = Sort.bestMatch
  var sieve = EbaySieve()
  var fieldGroups: Set<String> = []
  var aspects: [Aspect] = []
  var warnings: [EbayNotice] = []

  /// Offsets from here on are refused.
  static let mostOffset = 10_000
  private static let knownGroups: Set<String> = [
    "EXTENDED", "MATCHING_ITEMS", "FULL", "ASPECT_REFINEMENTS", "BUYING_OPTION_REFINEMENTS",
    "CATEGORY_REFINEMENTS", "CONDITION_REFINEMENTS",
  ]

  /// Reads the parameters of a search.
  ///
  /// - Throws: what a search is refused for, with its id.
  init(_ parameters: [String: String], _ site: EbaySite) throws(EbayRefusal) {
    try readPage(parameters)
    try readKeys(parameters)
    readGroups(parameters["fieldgroups"])
    let reader = try EbayFilterReader(parameters["filter"], site)
    sieve = reader.sieve
    warnings += reader.warnings
    readAspects(parameters["aspect_filter"])
    try readSort(parameters["sort"])
  }

  private mutating func warn(_ id: Int, _ message: String, _ name: String, _ value: String) {
    warnings.append(EbayNotice(id: id, message: message, parameters: [(name, value)]))
  }

  // MARK: Pages

  private mutating func readPage(_ parameters: [String: String]) throws(EbayRefusal) {
    if let text = parameters["limit"] {
      guard let number = Int(text) else {
        throw EbayRefusal(12007, "The 'limit' value must be an integer.", "limit", text)
      }
      guard 1...200 ~= number else {
        throw EbayRefusal(12006, "The 'limit' value must be between 1 and 200.", "limit", text)
      }
      limit = number
    }
    guard let text = parameters["offset"] else { return }
    guard let number = Int(text) else {
      throw EbayRefusal(12005, "The 'offset' value must be an integer.", "offset", text)
    }
    guard number >= 0 else {
      throw EbayRefusal(12004, "The 'offset' value must not be negative.", "offset", text)
    }
    guard number < Self.mostOffset else {
      throw EbayRefusal(12029, "The 'offset' value must be less than 10000.", "offset", text)
    }
    guard number % limit == 0 else {
      // The text is eBay's; the id is not known for certain.
      throw EbayRefusal(
        12004,
        "The 'offset' value must be either zero or a multiple of the 'limit' value.", "offset", text
      )
    }
    offset = number
  }

  // MARK: What is searched by

  private mutating func readKeys(_ parameters: [String: String]) throws(EbayRefusal) {
    func told(_ name: String) -> String? {
      parameters[name].flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    }
    let names = ["q", "category_ids", "epid", "gtin", "charity_ids"]
    guard names.contains(where: { told($0) != nil }) else {
      throw EbayRefusal(
        12001, "The call must have a 'q', 'category_ids', 'epid', 'gtin' or 'charity_ids'.", "q")
    }
    if let text = told("q") {
      let read = EbayWording(text)
      guard read.clauses.contains(where: { $0.contains { $0.contains { $0.count > 1 } } }) else {
        throw EbayRefusal(12023, "The keywords are too broad.", "q", text)
      }
      wording = read
    }
    if let text = told("epid") {
      if EbayReadingText.isDigits(text, 1...15) {
        epid = text
      } else {
        warn(12021, "The 'epid' value is not valid.", "epid", text)
      }
    }
    if let text = told("gtin") {
      if EbayReadingText.isDigits(text, 8...14) {
        gtin = text
      } else {
        warn(12022, "The 'gtin' value is not valid.", "gtin", text)
      }
    }
    if let text = told("charity_ids") {
      if text.utf8.allSatisfy({ 48...57 ~= $0 || $0 == 45 || $0 == 44 }) {
        // No seller here gives to a charity.
        isEmpty = true
      } else {
        warn(12024, "The 'charity_ids' value is not valid.", "charity_ids", text)
      }
    }
    if let text = told("category_ids") {
      let groups = parameters["fieldgroups"] ?? ""
      try readCategory(text, hasRefinements: groups.contains("ASPECT_REFINEMENTS"))
    }
    if wording == nil, epid == nil, gtin == nil, category == nil { isEmpty = true }
  }

  private mutating func readCategory(
    _ text: String, hasRefinements: Bool
  ) throws(EbayRefusal) {
    let ids = text.split(separator: ",").map(String.init)
    guard ids.count <= 1 else {
      if hasRefinements {
        throw EbayRefusal(
          12020, "Refinements can be asked for of one category only.", status: 409,
          "category_ids", text)
      }
      throw EbayRefusal(12030, "Too many categories.", "category_ids", text)
    }
    guard let id = ids.first,
      EbayWords.topCategories.contains(id) || EbayWords.categories.contains(where: { $0.id == id })
    else {
      return warn(12009, "The 'category_ids' value is not valid.", "category_ids", text)
    }
    if EbayWords.topCategories.contains(id), wording == nil, epid == nil, gtin == nil {
      throw EbayRefusal(
        12013, "A top-level category cannot be searched by itself.", status: 409, "category_ids",
        text)
    }
    category = id
  }

  // MARK: How it is answered

  private mutating func readGroups(_ text: String?) {
    guard let text, !text.isEmpty else { return }
    let names = Set(text.split(separator: ",").map(String.init))
    guard Self.knownGroups.isSuperset(of: names) else {
      return warn(12016, "The 'fieldgroups' value is not valid.", "fieldgroups", text)
    }
    fieldGroups = names
  }

  private mutating func readSort(_ text: String?) throws(EbayRefusal) {
    guard let text, !text.isEmpty else { return }
    guard let known = Sort(rawValue: text) else {
      return warn(12008, "The 'sort' value is not valid.", "sort", text)
    }
    if known == .distance, sieve.pickupCountry == nil {
      return warn(12010, "Sorting by 'distance' needs the filters of a pickup.", "sort", text)
    }
    if known == .endingSoonest, let options = sieve.options, !options.contains("AUCTION") {
      throw EbayRefusal(
        12034, "The 'sort' value does not go with the filter 'buyingOptions'.", "sort", text)
    }
    sort = known
  }

  /// Reads `categoryId:70110,Colour:{Red|Blue}`.
  private mutating func readAspects(_ text: String?) {
    guard let text, !text.isEmpty else { return }
    var read: [Aspect] = []
    var hasCategory = false
    for part in EbayFilterReader.split(text, at: ",") {
      let halves = part.split(separator: ":", maxSplits: 1)
      guard halves.count == 2 else {
        return warn(12017, "The 'aspect_filter' value is not valid.", "aspect_filter", text)
      }
      if halves[0] == "categoryId" {
        hasCategory = true
        continue
      }
      let values = halves[1].split { "{}|".contains($0) }.map { $0.lowercased() }
      read.append(Aspect(name: halves[0].lowercased(), values: Set(values)))
    }
    guard hasCategory, !read.isEmpty else {
      return warn(
        12018, "The 'aspect_filter' needs a category and an aspect.", "aspect_filter", text)
    }
    aspects = read
  }
}
