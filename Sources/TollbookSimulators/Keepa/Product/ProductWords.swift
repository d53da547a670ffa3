/// Words that invented products are named and described with; no real person or company.
enum ProductWords {
  /// A family of products: what they are and where they hang in the category tree.
  struct Family: Sendable {
    let root: String
    let branch: String
    let leaf: String
    let group: String
    let type: String
    let nouns: [String]
  }

  static let families: [Family] = [
    Family(
      root: "Home & Kitchen", branch: "Kitchen & Dining", leaf: "Storage & Organization",
      group: "kitchen_display_on_website", type: "KITCHEN",
      nouns: ["Storage Jar Set", "Dish Rack", "Cutlery Tray", "Spice Organizer", "Bread Box"]),
    Family(
      root: "Tools & Home Improvement", branch: "Hand Tools", leaf: "Screwdrivers & Bits",
      group: "home_improvement_display_on_website", type: "TOOLS",
      nouns: ["Bit Set", "Torque Driver", "Ratchet Handle", "Hex Key Set", "Tool Roll"]),
    Family(
      root: "Electronics", branch: "Accessories & Supplies", leaf: "Cables",
      group: "ce_display_on_website", type: "ELECTRONIC_CABLE",
      nouns: ["Charging Cable", "Travel Adapter", "Cable Organizer", "Desk Hub", "Phone Stand"]),
    Family(
      root: "Sports & Outdoors", branch: "Camping & Hiking", leaf: "Camp Kitchen",
      group: "sports_display_on_website", type: "OUTDOOR_RECREATION",
      nouns: ["Camp Stove", "Mess Kit", "Water Carrier", "Folding Lantern", "Dry Bag"]),
    Family(
      root: "Office Products", branch: "Office Supplies", leaf: "Filing Products",
      group: "office_product_display_on_website", type: "OFFICE_PRODUCTS",
      nouns: ["Document Box", "Label Maker Tape", "Index Tabs", "Desk Pad", "Binder Clips"]),
    Family(
      root: "Toys & Games", branch: "Building Toys", leaf: "Stacking Blocks",
      group: "toy_display_on_website", type: "TOYS_AND_GAMES",
      nouns: ["Block Set", "Marble Track", "Balance Game", "Shape Puzzle", "Magnet Tiles"]),
    Family(
      root: "Patio, Lawn & Garden", branch: "Gardening", leaf: "Watering Equipment",
      group: "lawn_and_garden_display_on_website", type: "GARDEN",
      nouns: ["Hose Nozzle", "Drip Kit", "Rain Gauge", "Plant Stakes", "Seed Tray"]),
    Family(
      root: "Industrial & Scientific", branch: "Lab Supplies", leaf: "Glassware",
      group: "biss_display_on_website", type: "LAB_SUPPLY",
      nouns: ["Beaker Set", "Sample Vials", "Filter Funnel", "Test Stand", "Pipette Rack"]),
  ]

  static let syllables = [
    "ba", "cor", "del", "fen", "gra", "hol", "ina", "jun", "kel", "lor", "mi", "nor", "ope", "pra",
    "quil", "ren", "sol", "tam", "ul", "ver", "wex", "yan", "zel",
  ]

  static let endings = ["ia", "ex", "on", "ora", "ix", "um", "way", "lite", "craft", "line"]

  static let qualities = [
    "Compact", "Stackable", "Heavy-Duty", "Lightweight", "Adjustable", "Foldable", "Leakproof",
    "Non-Slip", "Reinforced", "Quiet", "Space-Saving", "Weatherproof", "Refillable", "Modular",
  ]

  static let materials = [
    "Stainless Steel", "Borosilicate Glass", "Bamboo", "Silicone", "Anodized Aluminum", "Canvas",
    "Recycled Plastic", "Acacia Wood", "Ceramic", "Nylon", "Cast Iron", "Cork",
  ]

  static let colors = [
    "Slate Gray", "Forest Green", "Matte Black", "Ivory", "Clear", "Terracotta", "Sky Blue",
    "Café Brown", "Sand", "Natural",
  ]

  static let places = [
    "the kitchen", "a workshop", "small apartments", "the office", "the garden", "a classroom",
    "camping trips", "the garage", "a studio", "daily travel",
  ]

  static let openings = [
    "Made for", "Designed for", "A reliable companion in", "Sized to fit", "Built with care for",
    "Ready out of the box for",
  ]

  static let claims = [
    "keeps everything within reach and easy to clean",
    "holds up to years of use without losing its shape",
    "packs flat when it is not needed and sets up in seconds",
    "was tested for 5000 cycles before it left the line",
    "comes with rounded edges and a firm, even grip",
    "stays cool to the touch and dry on the outside",
    "fits drawers, shelves and bags of every common size",
    "needs no tools, no glue and no instructions",
    "is easy to rinse, quick to dry and safe to stack",
    "arrives in a plain box made of recycled board",
    "measures 12\" along the long side with ± 2 mm of play",
    "can be combined with all other sizes of the series",
  ]

  static let remarks = [
    "[STURDY BUILD]", "[EASY TO USE]", "[WHAT YOU GET]", "[THOUGHTFUL SIZE]",
    "[CLEAN DESIGN]", "[GIFT READY]",
  ]
}
