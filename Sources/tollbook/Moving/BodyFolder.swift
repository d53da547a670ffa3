import Foundation
import JSONText
import Keepa
import TollbookEvents

/// A folder of Keepa's bodies, or whole answers, in files that end in `.json`, in the order of their names. Their times are
/// those of the answers (`timestamp`), else those of the files.
struct BodyFolder: Sendable {
  private let path: String
  /// Below the folder, sorted.
  private let files: [String]
  private var place = 0

  /// In words, for whoever looks on.
  var description: String { files.count.of("file") }

  /// - Throws: `Refused` if it has no such file.
  init(path: String) throws {
    self.path = path
    let names = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
    files = names.filter { $0.hasSuffix(".json") }.sorted()
    guard !files.isEmpty else {
      throw Refused("\(path) has no file of a body: none below it ends in .json.")
    }
  }

  /// What the next file holds; empty at the end.
  mutating func next(domain: KeepaDomain, now: Timestamp) -> [Found] {
    guard place < files.count else { return [] }
    let file = files[place]
    place += 1
    do throws(LeftOut) {
      return try products(of: file, domain: domain, now: now)
    } catch { return [.failure(error)] }
  }

  private func products(
    of file: String, domain: KeepaDomain, now: Timestamp
  ) throws(LeftOut) -> [Found] {
    let name = file.inOneLine(atMost: 100)
    let place = "\(path)/\(file)"
    let bytes: [UInt8]
    let written: Date?
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: place)
      let size = (attributes[.size] as? NSNumber)?.int64Value ?? 0
      guard size <= MovedProduct.longestBody else {
        throw LeftOut(.tooLong, "\(name) (\(size.grouped) bytes)")
      }
      written = attributes[.modificationDate] as? Date
      bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: place)))
    } catch let leftOut as LeftOut { throw leftOut } catch {
      throw LeftOut(.unreadable, name)
    }
    let root = try MovedProduct.document(bytes, name).root
    var time = written.map { WrittenTime.number($0.timeIntervalSince1970) }
    if let told = root["timestamp"]?.int64 { time = .number(Double(told)) }
    let products = root["products"].map { $0.array.map { Array($0) } ?? [] } ?? [root]
    guard !products.isEmpty else { throw LeftOut(.noProduct, name) }
    let beside = WrittenBeside(name: name, time: time)
    let instant = time?.instant
    return products.map { product in
      Result { () throws(LeftOut) in
        try MovedProduct(product, beside, time: instant, domain: domain, now: now)
      }
    }
  }
}
