import Extraction
import Testing

@Suite struct ImageSizeTests {
  private func size(_ bytes: [UInt8]) throws -> [Int?] {
    let facts = try DocumentFacts(of: bytes, declared: nil)
    return [facts.width, facts.height]
  }

  private func fault(_ bytes: [UInt8], limits: DocumentLimits = DocumentLimits()) -> DocumentFault?
  {
    do throws(DocumentFault) {
      _ = try DocumentFacts(of: bytes, declared: nil, limits: limits)
      return nil
    } catch {
      return error
    }
  }

  // MARK: - Limits

  @Test func `an image of 60,000 by 60,000 pixels is refused`() {
    let fault = fault(SampleImages.png(width: 60_000, height: 60_000))
    #expect(
      fault?.description
        == "The PNG image has 60000 × 60000 pixels; at most 20000 on a side and 100000000 in all "
        + "are accepted.")
  }

  @Test func `sides and area are accepted up to their limits`() throws {
    #expect(try size(SampleImages.png(width: 20_000, height: 5_000)) == [20_000, 5_000])
    #expect(try size(SampleImages.jpeg(width: 5_000, height: 20_000)) == [5_000, 20_000])
    for (width, height) in [(20_001, 1), (1, 20_001), (20_000, 5_001), (0x7fff_ffff, 0x7fff_ffff)] {
      #expect(
        fault(SampleImages.png(width: width, height: height))
          == .tooLarge(.png, width: width, height: height, side: 20_000, pixels: 100_000_000))
    }
    #expect(
      fault(SampleImages.jpeg(width: 65_535, height: 1))
        == .tooLarge(.jpeg, width: 65_535, height: 1, side: 20_000, pixels: 100_000_000))
    #expect(
      fault(SampleImages.riff(SampleImages.lossless(width: 16_384, height: 16_384)))
        == .tooLarge(.webp, width: 16_384, height: 16_384, side: 20_000, pixels: 100_000_000))
  }

  // MARK: - PNG

  @Test func `a damaged PNG is refused`() {
    let good = SampleImages.png(width: 3, height: 2)
    var changed = good
    changed[19] ^= 1  // The width.
    #expect(fault(changed) == .damaged(.png, .checksum))
    #expect(
      fault(changed)?.description
        == "The PNG image is damaged: the checksum of its header is wrong.")
    changed = good
    changed[12] ^= 1  // The name of the first chunk.
    #expect(fault(changed) == .damaged(.png, .noSize))
    #expect(fault(SampleImages.png(width: 0, height: 2)) == .damaged(.png, .header))
    #expect(fault(SampleImages.png(width: 2, height: 0x8000_0000)) == .damaged(.png, .header))
    for tail: [UInt8] in [
      [3, 2, 0, 0, 0], [16, 3, 0, 0, 0], [8, 1, 0, 0, 0], [8, 2, 1, 0, 0], [8, 2, 0, 1, 0],
      [8, 2, 0, 0, 2],
    ] {
      #expect(
        fault(SampleImages.png(width: 3, height: 2, tail: tail)) == .damaged(.png, .header),
        "\(tail)")
    }
    #expect(
      fault(good.prefix(33) + SampleImages.chunk("IEND", [])) == .damaged(.png, .noPixels))
  }

  @Test func `a PNG may end after any whole chunk with pixels`() throws {
    let good = SampleImages.png(width: 3, height: 2)
    #expect(try size(good.dropLast(12)) == [3, 2])
    #expect(try size(good + [1, 2, 3]) == [3, 2])
    for length in 8..<good.count where length != good.count - 12 {
      let fault = fault(Array(good.prefix(length)))
      let isHeaderOnly = length == 33
      #expect(fault == .damaged(.png, isHeaderOnly ? .noPixels : .cut), "\(length) bytes")
    }
  }

  // MARK: - JPEG

  @Test(arguments: [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf])
  func `every frame header of a JPEG is read`(marker: Int) throws {
    let bytes = SampleImages.jpeg(width: 300, height: 200, marker: UInt8(marker))
    #expect(try size(bytes) == [300, 200])
  }

  @Test func `a JPEG may miss its end and fill its markers`() throws {
    let good = SampleImages.jpeg(width: 300, height: 200)
    #expect(try size(good.dropLast(2)) == [300, 200])
    #expect(try size(Array(good.prefix(2)) + [0xff, 0xff] + good.dropFirst(2)) == [300, 200])
    #expect(try size(Array(good.prefix(2)) + [0xff, 0x01] + good.dropFirst(2)) == [300, 200])
  }

  @Test func `a damaged JPEG is refused`() {
    let start: [UInt8] = [0xff, 0xd8]
    let frame = SampleImages.frame(width: 3, height: 2)
    let scan = SampleImages.scan
    #expect(fault(start + scan) == .damaged(.jpeg, .noSize))
    #expect(fault(start + frame + [0xff, 0xd9]) == .damaged(.jpeg, .noPixels))
    #expect(fault(start + frame + scan.dropLast(2)) == .damaged(.jpeg, .noPixels))
    #expect(fault(start + frame + frame + scan) == .damaged(.jpeg, .twoSizes))
    #expect(fault(start + frame + start + scan) == .damaged(.jpeg, .header))
    #expect(fault(start + [0xff, 0xe0, 0, 1] + frame + scan) == .damaged(.jpeg, .header))
    #expect(
      fault(start + SampleImages.frame(width: 0, height: 2) + scan) == .damaged(.jpeg, .header))
    #expect(
      fault(start + SampleImages.frame(width: 3, height: 0) + scan) == .damaged(.jpeg, .noSize))
    #expect(
      fault(start + SampleImages.segment(0xc0, [8, 0, 2, 0, 3, 2, 1, 0x11, 0]) + scan)
        == .damaged(.jpeg, .header))
  }

  @Test func `each cut of a JPEG before its scan is refused`() {
    let good = SampleImages.jpeg(width: 300, height: 200)
    for length in 3..<good.count - 4 {
      let fault = fault(Array(good.prefix(length)))
      #expect(
        fault == .damaged(.jpeg, .cut) || fault == .damaged(.jpeg, .noPixels), "\(length) bytes")
    }
  }

  // MARK: - WebP

  @Test func `every form of WebP is read`() throws {
    let lossy = SampleImages.lossy(width: 300, height: 200)
    let lossless = SampleImages.lossless(width: 300, height: 200)
    let extended = SampleImages.extended(width: 300, height: 200)
    let profile = SampleImages.webpChunk("ICCP", [1, 2, 3])
    let frame = SampleImages.webpChunk("ANMF", [UInt8](repeating: 0, count: 16))
    for chunks in [
      lossy, lossless, extended + lossy, extended + profile + lossless, extended + frame,
    ] {
      #expect(try size(SampleImages.riff(chunks)) == [300, 200])
      #expect(try size(SampleImages.riff(chunks) + [0]) == [300, 200])
    }
    // The upper two bits of a side are its scale.
    #expect(
      try size(SampleImages.riff(SampleImages.lossy(width: 0xc001, height: 0x4002))) == [1, 2])
  }

  @Test func `a damaged WebP is refused`() {
    let lossy = SampleImages.lossy(width: 300, height: 200)
    let extended = SampleImages.extended(width: 301, height: 200)
    let profile = SampleImages.webpChunk("ICCP", [1, 2, 3])
    let riff = SampleImages.riff
    #expect(fault(riff(extended + lossy)) == .damaged(.webp, .twoSizes))
    #expect(fault(riff(extended)) == .damaged(.webp, .noPixels))
    #expect(fault(riff([])) == .damaged(.webp, .noPixels))
    #expect(fault(riff(profile + lossy)) == .damaged(.webp, .noSize))
    #expect(fault(riff(extended + extended + lossy)) == .damaged(.webp, .header))
    #expect(fault(riff(SampleImages.webpChunk("ANMF", [0]))) == .damaged(.webp, .noSize))
    #expect(fault(riff(SampleImages.lossy(width: 0, height: 1))) == .damaged(.webp, .header))
    for index in [8, 11, 12, 13] {  // The tag of a key frame and the start code.
      var changed = lossy
      changed[index] ^= 1
      #expect(fault(riff(changed)) == .damaged(.webp, .header), "byte \(index)")
    }
    var versioned = SampleImages.lossless(width: 3, height: 2)
    versioned[12] |= 0x20
    #expect(fault(riff(versioned)) == .damaged(.webp, .header))
    var small = riff(lossy)
    small[4] = 3
    small[5] = 0
    #expect(fault(small) == .damaged(.webp, .header))
  }

  @Test func `each cut of a WebP is refused`() {
    let good = SampleImages.riff(
      SampleImages.extended(width: 300, height: 200) + SampleImages.lossy(width: 300, height: 200))
    for length in 12..<good.count {
      #expect(fault(Array(good.prefix(length))) == .damaged(.webp, .cut), "\(length) bytes")
    }
  }
}
