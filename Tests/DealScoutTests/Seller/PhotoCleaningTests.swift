import JSONText
import Testing
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout
@testable import Extraction

@Suite("photos without what lies beside the picture") struct PhotoCleaningTests {
  private static let samples: [(DocumentKind, [UInt8])] = [
    (.jpeg, SamplePhotos.jpeg()), (.jpeg, SamplePhotos.jpeg(exif: nil, hasJFIF: false)),
    (.jpeg, SamplePhotos.jpeg(exif: SamplePhotos.exif(orientation: 8, isBigEndian: false))),
    (.png, SamplePhotos.png()), (.webp, SamplePhotos.webp()),
  ]

  private func size(_ bytes: [UInt8]) throws -> [Int?] {
    let facts = try DocumentFacts(of: bytes, declared: nil)
    return [facts.width, facts.height]
  }

  @Test(arguments: samples) func `the place is gone and the picture stays`(
    kind: DocumentKind, bytes: [UInt8]
  ) throws {
    #expect(bytes.firstRange(of: SamplePhotos.place) != nil)
    let cleaned = try PhotoCleaning.cleaned(bytes, kind)
    #expect(cleaned.firstRange(of: SamplePhotos.place) == nil)
    #expect(try size(cleaned) == size(bytes))
    #expect(try PhotoCleaning.cleaned(cleaned, kind) == cleaned)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt8>)
  func `how a JPEG is turned stays, and nothing else of its Exif`(orientation: UInt8) throws {
    for isBigEndian in [true, false] {
      let exif = SamplePhotos.exif(orientation: orientation, isBigEndian: isBigEndian)
      let cleaned = try PhotoCleaning.cleaned(SamplePhotos.jpeg(exif: exif), .jpeg)
      let blocks = cleaned.indices.filter { cleaned[$0...].starts(with: "Exif\0\0".utf8) }
      guard orientation > 1 else {
        #expect(blocks.isEmpty)
        continue
      }
      #expect(blocks.count == 1)
      let block = try #require(blocks.first)
      let content = cleaned[block..<block + JPEGOrientation.segmentBytes - 4]
      #expect(JPEGOrientation.read(content) == orientation)
      // Behind the segment of JFIF, which comes first.
      #expect(cleaned[2...].starts(with: [0xff, 0xe0]))
      #expect(block == 2 + 18 + 4)
    }
  }

  @Test func `colours and pixels of a JPEG are copied as they are`() throws {
    let cleaned = try PhotoCleaning.cleaned(SamplePhotos.jpeg(), .jpeg)
    #expect(cleaned.firstRange(of: Array("ICC_PROFILE\0".utf8)) != nil)
    #expect(cleaned.suffix(10) == [0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56, 0x78, 0xff, 0xd9])
    // One that ends too early is copied as far as it goes.
    let short = try PhotoCleaning.cleaned(SamplePhotos.jpeg(isWhole: false), .jpeg)
    #expect(short.suffix(2) == [0x56, 0x78])
  }

  @Test func `a WebP says that it has no metadata, and how long it is`() throws {
    let cleaned = try PhotoCleaning.cleaned(SamplePhotos.webp(), .webp)
    let flags = try #require(cleaned.firstRange(of: Array("VP8X".utf8))).upperBound + 4
    #expect(cleaned[flags] == 0x20)
    #expect(cleaned.dropFirst(4).littleEndian(4) == cleaned.count - 8)
    for type in ["EXIF", "XMP ", "ABCD"] {
      #expect(cleaned.firstRange(of: Array(type.utf8)) == nil)
    }
  }

  @Test func `what a model sees in a drawn photo survives`() throws {
    let photo = DrawnPhoto(number: 7)
    let cleaned = try PhotoCleaning.cleaned(SamplePhotos.png(7), .png)
    let fields = try #require(PhotoSidecar.fields(in: cleaned))
    #expect(fields["title"]?.string == photo.title)
    #expect(Array(fields.bytes) == photo.json)
    #expect(PhotoSidecar.fields(in: InvoiceDrawing.png(DrawnInvoice(number: 1, seed: 1))) == nil)
  }

  /// Whatever is broken: it is refused, or what is left of it is a picture of the same size, which stays the same when
  /// it is cleaned again.
  @Test(arguments: 0..<200 as Range<UInt64>)
  func `a broken file is refused, or cleaned for good`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for (kind, whole) in Self.samples {
      var bytes = whole
      for _ in 0..<random.int(1...4) {
        let place = random.int(0...bytes.count - 1)
        switch random.int(0...3) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[place] ^= 1 << UInt8(random.int(0...7))
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + random.int(1...9)))
        default: bytes.insert(contentsOf: random.bytes(random.int(1...9)), at: place)
        }
        if bytes.isEmpty { bytes = [0] }
      }
      // As it is when it comes in: first what it is, then what is no part of it.
      guard let found = DocumentKind(of: bytes), found == kind, let before = try? size(bytes),
        let cleaned = try? PhotoCleaning.cleaned(bytes, kind)
      else { continue }
      #expect(cleaned.count <= bytes.count + PhotoCleaning.mostAdded + 1, "seed \(seed)")
      #expect((try? size(cleaned)) == before, "seed \(seed), \(kind)")
      #expect((try? PhotoCleaning.cleaned(cleaned, kind)) == cleaned, "seed \(seed), \(kind)")
    }
  }
}

@Suite("what is a photo") struct PhotoTests {
  private func fault(_ bytes: [UInt8], _ declared: String?) -> PhotoFault? {
    do throws(PhotoFault) {
      _ = try Photo(of: bytes, declared: declared)
      return nil
    } catch { return error }
  }

  @Test func `pictures are taken as what they are`() throws {
    let photo = try Photo(of: SamplePhotos.jpeg(), declared: "image/jpeg")
    #expect(photo.kind == .jpeg)
    #expect([photo.width, photo.height] == [4, 3])
    #expect(photo.bytes.firstRange(of: SamplePhotos.place) == nil)
    #expect(try Photo(of: SamplePhotos.webp(), declared: nil).kind == .webp)
    #expect(try Photo(of: SamplePhotos.png(), declared: "").kind == .png)
  }

  @Test func `a PDF is no photo, whatever it is called`() throws {
    let pdf = InvoiceDrawing.pdf(DrawnInvoice(number: 1, seed: 1))
    #expect(fault(pdf, "image/jpeg")?.reason == .noPicture(.pdf))
    #expect(fault(pdf, nil)?.reason == .noPicture(.pdf))
    #expect(
      fault(SamplePhotos.png(), "image/jpeg")?.reason
        == .document(.mismatch(declared: "image/jpeg", found: .png)))
  }

  @Test func `a picture with too many points is refused by its size`() throws {
    #expect(fault(SamplePhotos.pngBomb(side: 7_000), "image/png") == nil)
    for side in [7_100, 20_001, 0x7fff_ffff] as [UInt32] {
      guard
        case .document(.tooLarge(.png, let width, _, _, let pixels)) = fault(
          SamplePhotos.pngBomb(side: side), "image/png")?.reason
      else {
        Issue.record("\(side) points on a side were taken")
        continue
      }
      #expect(width == Int(side))
      #expect(pixels == 50_000_000)
    }
  }
}
