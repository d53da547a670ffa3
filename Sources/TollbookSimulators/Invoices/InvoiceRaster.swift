/// Paints pages as one picture, two points of it for a point of the page, in a font of 5 by 7 points.
struct InvoiceRaster: Sendable {
  private(set) var image: PNGImage

  /// White, a light grey, black.
  private enum Ink {
    static let palette: [PNGImage.Color] = [.init(0xffffff), .init(0xe2e2e2), .init(0x101010)]
    static let grey: UInt8 = 1
    static let black: UInt8 = 2
  }

  private static let scale = 2
  /// More pages than these are left out.
  private static let mostPages = 20

  init(pages: [InvoicePage]) {
    let pages = pages.prefix(Self.mostPages)
    image = PNGImage(
      width: Self.scale * InvoicePage.width,
      height: Self.scale * InvoicePage.height * max(1, pages.count), palette: Ink.palette)
    for (index, page) in pages.enumerated() {
      let top = Self.scale * InvoicePage.height * index
      for box in page.boxes {
        fill(
          x: Self.scale * box.x, y: top + Self.scale * box.y, width: Self.scale * box.width,
          height: Self.scale * box.height, box.isDark ? Ink.black : Ink.grey)
      }
      for text in page.texts { paint(text, top: top) }
    }
  }

  private mutating func fill(x: Int, y: Int, width: Int, height: Int, _ ink: UInt8) {
    for row in y..<y + height {
      for column in x..<x + width { image.paint(column, row, ink) }
    }
  }

  /// Bold letters are painted twice, the second time one point further right.
  private mutating func paint(_ text: InvoicePage.Text, top: Int) {
    let zoom = text.size >= 14 ? 3 : 2
    let advance = (BitmapFont.width + 1) * zoom
    let letters = Array(text.text.unicodeScalars)
    let start = Self.scale * text.x - (text.alignment == .left ? 0 : letters.count * advance)
    let y = top + Self.scale * text.y - BitmapFont.height * zoom
    for (index, letter) in letters.enumerated() {
      for (x, row) in BitmapFont.points(of: letter) {
        for shift in 0...(text.isBold ? 1 : 0) {
          fill(
            x: start + index * advance + x * zoom + shift, y: y + row * zoom, width: zoom,
            height: zoom, Ink.black)
        }
      }
    }
  }
}

/// Letters of 5 by 7 points, two more rows below the line; from space to tilde.
enum BitmapFont {
  static let width = 5
  static let height = 7

  /// The rows of each letter from the top, one digit of base 32 for five points.
  private static let rows = [
    "", "4444404", "aa00000", "aavavaa", "4fke5u4", "op248j3", "cik8lid", "4480000",
    "2488842", "8422248", "04lel40", "044v440", "00000cc48", "000e000", "00000cc", "122488g",
    "ehjlphe", "4c4444e", "eh1248v", "v2421he", "26aiv22", "vgu11he", "68guhhe", "v124888",
    "ehhehhe", "ehhf12c", "0cc0cc0", "0cc0cc48", "248g842", "00v0v00", "8421248", "eh12404",
    "ehnlnge", "ehhvhhh", "uhhuhhu", "ehggghe", "uhhhhhu", "vgguggv", "vgguggg", "ehgnhhe",
    "hhhvhhh", "e44444e", "72222ic", "hikokih", "ggggggv", "hrllhhh", "hpljhhh", "ehhhhhe",
    "uhhuggg", "ehhhlid", "uhhukih", "fgge11u", "v444444", "hhhhhhe", "hhhhha4", "hhhllla",
    "hha4ahh", "hha4444", "v1248gv", "e88888e", "g884221", "e22222e", "4ah0000", "000000v",
    "8400000", "00e1fhf", "ggmphhu", "00egghe", "11djhhf", "00ehvge", "698s888", "00fhhhf1e",
    "ggmphhh", "40c444e", "2062222ic", "ggikoki", "c44444e", "00qllll", "00mphhh", "00ehhhe",
    "00uhhhugg", "00fhhhf11", "00mpggg", "00fge1u", "88s8896", "00hhhjd", "00hhha4", "00hhlla",
    "00ha4ah", "00hhhhf1e", "00v248v", "6448446", "4444444", "c44244c", "008l200",
  ]

  /// The points that are black, as column and row from the top left. A letter that is not there is a box.
  static func points(of letter: Unicode.Scalar) -> [(x: Int, y: Int)] {
    let index = Int(letter.value) - 32
    let text = rows.indices.contains(index) ? rows[index] : "vhhhhhv"
    var points: [(x: Int, y: Int)] = []
    for (y, digit) in text.enumerated() {
      let bits = digit.hexDigitValue ?? Int(digit.asciiValue ?? 97) - 87
      for x in 0..<width where bits >> (width - 1 - x) & 1 == 1 { points.append((x, y)) }
    }
    return points
  }
}
