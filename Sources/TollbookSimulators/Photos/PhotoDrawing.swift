/// Draws photos as files. Each carries the photo's fields, too, where ``PhotoSidecar`` finds them.
package enum PhotoDrawing {
  private static let width = 480
  private static let height = 320

  /// A PNG of 480 by 320 points: a thing on a table, and what is written on it.
  ///
  /// - Parameter texts: what lies in the file beside the picture, such as a place.
  package static func png(
    _ photo: DrawnPhoto, texts: [(keyword: String, text: String)] = []
  ) -> [UInt8] {
    var numbers = SeededNumbers("colours of \(photo.title)")
    let colour = UInt32(truncatingIfNeeded: numbers.next()) & 0x7f_7f7f | 0x40_4040
    var image = PNGImage(
      width: width, height: height,
      palette: PhotoSidecar.greys + [.init(0xe8dcc8), .init(colour), .init(0x101010)])
    let (table, thing, ink) = (UInt8(16), UInt8(17), UInt8(18))
    fill(&image, 0..<width, 0..<height, table)
    fill(&image, 90..<390, 60..<230, thing)
    write(photo.title, x: 20, y: 20, ink, &image)
    if let writing = photo.writing { write(writing, x: 20, y: 250, ink, &image) }
    PhotoSidecar.hide(photo.json, in: &image)
    return image.encoded(
      texts: texts.map { PNGImage.Text(keyword: $0.keyword, content: Array($0.text.utf8)) })
  }

  private static func fill(
    _ image: inout PNGImage, _ columns: Range<Int>, _ rows: Range<Int>, _ colour: UInt8
  ) {
    for row in rows {
      for column in columns { image.paint(column, row, colour) }
    }
  }

  private static func write(
    _ text: String, x: Int, y: Int, _ colour: UInt8, _ image: inout PNGImage
  ) {
    for (index, letter) in text.unicodeScalars.enumerated() {
      let left = x + index * (BitmapFont.width + 1)
      for (column, row) in BitmapFont.points(of: letter) {
        image.paint(left + column, y + row, colour)
      }
    }
  }
}
