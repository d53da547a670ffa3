/// The invented words of the market: brands, lines, categories, sellers.
enum EbayWords {
  /// A leaf category below a top-level one, with the nouns of its products.
  struct Category: Sendable, Hashable {
    let id: String
    let name: String
    let parentId: String
    let parentName: String
    let nouns: [String]
  }

  /// Leaf categories. Their ids are invented.
  static let categories: [Category] = [
    Category(
      id: "70110", name: "Coffee Machines", parentId: "70100", parentName: "Kitchen",
      nouns: ["Espresso Machine", "Burr Grinder"]),
    Category(
      id: "70120", name: "Small Appliances", parentId: "70100", parentName: "Kitchen",
      nouns: ["Stand Mixer", "Slow Juicer"]),
    Category(
      id: "70130", name: "Cookware", parentId: "70100", parentName: "Kitchen",
      nouns: ["Sauté Pan", "Dutch Oven"]),
    Category(
      id: "70210", name: "Headphones", parentId: "70200", parentName: "Audio",
      nouns: ["Studio Headphones", "Wireless Earbuds"]),
    Category(
      id: "70220", name: "Turntables", parentId: "70200", parentName: "Audio",
      nouns: ["Turntable", "Phono Preamp"]),
    Category(
      id: "70230", name: "Loudspeakers", parentId: "70200", parentName: "Audio",
      nouns: ["Bookshelf Speakers", "Subwoofer"]),
    Category(
      id: "70310", name: "Cameras", parentId: "70300", parentName: "Photo",
      nouns: ["Mirrorless Camera", "Film Camera"]),
    Category(
      id: "70320", name: "Lenses", parentId: "70300", parentName: "Photo",
      nouns: ["Prime Lens", "Zoom Lens"]),
    Category(
      id: "70330", name: "Tripods", parentId: "70300", parentName: "Photo",
      nouns: ["Travel Tripod", "Ball Head"]),
    Category(
      id: "70410", name: "Power Tools", parentId: "70400", parentName: "Workshop",
      nouns: ["Cordless Drill", "Circular Saw"]),
    Category(
      id: "70420", name: "Hand Tools", parentId: "70400", parentName: "Workshop",
      nouns: ["Socket Set", "Bench Plane"]),
    Category(
      id: "70430", name: "Measuring", parentId: "70400", parentName: "Workshop",
      nouns: ["Digital Caliper", "Laser Level"]),
  ]

  /// Ids of the top-level categories.
  static let topCategories: Set<String> = Set(categories.map(\.parentId))

  static let brandStarts = [
    "Quor", "Zint", "Brell", "Vask", "Thrum", "Olph", "Grix", "Plimb", "Snarv", "Wexl", "Drovv",
    "Kyrb",
  ]
  static let brandEnds = [
    "ovane", "umbry", "itholm", "askel", "orrick", "ebbelin", "anthy", "ullow", "ixter", "ondle",
  ]
  static let lines = [
    "Tarnweir", "Hollowmere", "Skybrindle", "Emberlath", "Frostwick", "Marlgrove", "Pinthorn",
    "Duskmantle", "Larkspindle", "Oxbarrow", "Reedwhistle", "Stonefinch", "Cloudpeddle",
    "Wrenharrow",
  ]
  static let colours = ["Black", "Silver", "White", "Blue", "Red", "Green", "Grey", "Cream"]
  /// What sellers say beside the name. None of these words makes it another thing.
  static let praises = [
    "boxed", "tested", "fast dispatch", "with manual", "great shape", "lightly handled",
    "one owner", "clean",
  ]
  static let sellerStarts = [
    "attic", "harbor", "pine", "copper", "velvet", "marble", "river", "orchard", "lantern", "north",
  ]
  static let sellerEnds = [
    "_finds", "_trader", "_cellar", "-outlet", "_and_sons", "_depot", ".shelf", "_corner",
  ]

  /// The words of a text in small letters, split wherever there is neither a letter nor a digit.
  static func tokens(_ text: String) -> [String] {
    text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
  }

  /// Every word that can stand in a title beside those of its family.
  static let extras: Set<String> = Set(
    (colours + praises + [
      "new", "used", "lot", "of", "bundle", "with", "bag", "for", "parts", "not", "working",
      "as", "is", "empty", "box", "only", "choose", "colour", "open", "refurbished",
    ]).flatMap(tokens) + (2...9).map(String.init))
}
