/// The picture of a listing.
enum EbayPicture {
  private static let side = 160
  private static let colours: [UInt32] = [
    0x2d2f33, 0xb9bec4, 0xf3f2ee, 0x2b5c9e, 0xa83232, 0x3d7a4a, 0x7b7f85, 0xefe3c4,
  ]

  /// A flat picture in the colour of the listing, with a shape of its family.
  static func png(_ offer: EbayOffer) -> [UInt8] {
    let index = EbayWords.colours.firstIndex(of: offer.colour) ?? 0
    var image = PNGImage(
      width: side, height: side, palette: [.init(0xfafafa), .init(colours[index]), .init(0x99aabb)])
    let width = 50 + offer.number.family * 13 % 80
    let height = 50 + offer.number.family * 29 % 80
    for y in (side - height) / 2..<(side + height) / 2 {
      for x in (side - width) / 2..<(side + width) / 2 {
        image.paint(x, y, (x + y) % 24 < 3 ? 2 : 1)
      }
    }
    return image.encoded()
  }
}
