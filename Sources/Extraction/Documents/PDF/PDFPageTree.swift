/// Counts the pages that the page tree names. Source: ISO 32000-1, section 7.7.3.
struct PDFPageTree {
  /// What a node of the tree is.
  private enum Node {
    case page
    /// The numbers of its kids; nil for one that is no reference.
    case inner([Int?])
  }

  private let limit: Int
  private var nodes: [Int: Node] = [:]

  /// The deepest tree that is followed.
  static let deepest = 256

  private init(limit: Int) { self.limit = limit }

  /// The pages of the tree that the catalog names: the larger of its `Count` and of its leaves. A page that is named
  /// twice is two pages, and what cannot be found is one. Nil if the tree's root cannot be found.
  static func count(_ objects: inout PDFObjects, limit: Int) throws(DocumentFault) -> Int? {
    guard let root = objects.table.root else { return nil }
    let catalog = try objects.dictionary(try objects.value(of: root))
    guard let top = catalog?.reference(.pages), let found = try objects.value(of: top),
      let pages = try objects.dictionary(found), pages[.count] != nil || pages[.kids] != nil
    else { return nil }
    let stated = try integer(pages[.count], &objects) ?? 0
    if stated > limit { throw .tooManyPages(limit: limit) }
    var tree = PDFPageTree(limit: limit)
    return max(stated, try tree.leaves(under: top, &objects))
  }

  private static func integer(
    _ value: PDFValue?, _ objects: inout PDFObjects
  ) throws(DocumentFault) -> Int? {
    switch value {
    case .integer(let integer): return integer
    case .reference(let number):
      guard case .integer(let integer)? = try objects.value(of: number)?.value else { return nil }
      return integer
    default: return nil
    }
  }

  /// Counts the leaves with a stack of its own. A loop ends at the greatest depth or the greatest number of visits.
  private mutating func leaves(
    under top: Int, _ objects: inout PDFObjects
  ) throws(DocumentFault) -> Int {
    let mostVisits = 16 * limit + 1_024
    var open: [(number: Int?, depth: Int)] = [(top, 0)]
    var leaves = 0
    var visits = 0
    while let (number, depth) = open.popLast() {
      visits += 1
      guard visits <= mostVisits, depth <= Self.deepest else { throw .tangled }
      switch try node(number, &objects) {
      case .page:
        leaves += 1
        if leaves > limit { throw .tooManyPages(limit: limit) }
      case .inner(let kids):
        guard open.count + kids.count <= mostVisits else { throw .tangled }
        for kid in kids { open.append((kid, depth + 1)) }
      }
    }
    return leaves
  }

  private mutating func node(
    _ number: Int?, _ objects: inout PDFObjects
  ) throws(DocumentFault) -> Node {
    guard let number else { return .page }
    if let known = nodes[number] { return known }
    let found = try objects.value(of: number)
    var node = Node.page
    if let dictionary = try objects.dictionary(found), let bytes = found?.bytes {
      if let kids = try kids(dictionary, bytes, &objects) { node = .inner(kids) }
    }
    nodes[number] = node
    return node
  }

  private func kids(
    _ dictionary: PDFDictionary, _ bytes: [UInt8], _ objects: inout PDFObjects
  ) throws(DocumentFault) -> [Int?]? {
    var place = PDFObjects.Found(value: dictionary[.kids] ?? .other, bytes: bytes)
    if case .reference(let number) = place.value {
      guard let found = try objects.value(of: number) else { return nil }
      place = found
    }
    guard case .array(let range) = place.value else { return nil }
    try objects.file.work.spend(range.count)
    var lexer = PDFLexer(place.bytes, in: range)
    var kids: [Int?] = []
    while let value = lexer.value() {
      if case .reference(let number) = value { kids.append(number) } else { kids.append(nil) }
    }
    return kids
  }
}
