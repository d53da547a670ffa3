import Dispatch
import Files
import Foundation
import TollbookEvents

/// The files of photos, outside of the log: each under its digest, in a folder named for the first two digits of it,
/// and readable by their owner alone.
///
/// A file is there whole or not at all, also after a crash: it is written under another name, brought to the disk, and
/// then given its own.
struct PhotoStore: Sendable {
  /// Why a file could not be written, read or removed.
  struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    let description: String
  }

  /// Disks are waited for here, and on no thread that requests share.
  private static let queue = DispatchQueue(label: "tollbook.photos")

  /// What the name of a file begins with that is being written.
  private static let unfinished = "."

  let folder: String

  /// - Parameter directory: the data directory.
  init(directory: String) { folder = "\(directory)/photos" }

  /// Whether a text is a digest: 64 digits in small hexadecimal. Nothing else becomes part of a path.
  static func isDigest(_ text: String) -> Bool {
    text.utf8.count == 64
      && text.utf8.allSatisfy { 0x30...0x39 ~= $0 || 0x61...0x66 ~= $0 }
  }

  private func place(of digest: String) -> (folder: String, file: String) {
    let folder = "\(folder)/\(digest.prefix(2))"
    return (folder, "\(folder)/\(digest)")
  }

  /// Writes a photo, unless it is there. It is on the disk when this returns.
  ///
  /// - Parameter word: of chance, so that two that write the same photo do not write the same file.
  func put(_ bytes: [UInt8], as digest: String, word: String) async throws(Fault) {
    try await waiting { () throws(Fault) in try write(bytes, as: digest, word: word) }
  }

  /// The bytes of a photo; nil: it is not there.
  func bytes(of digest: String) async throws(Fault) -> [UInt8]? {
    try await waiting { () throws(Fault) in try read(digest) }
  }

  /// Removes a photo.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  func remove(_ digest: String) async throws(Fault) -> Bool {
    try await waiting { () throws(Fault) in try erase(digest) }
  }

  /// The digests of all photos that are there. What a process that was killed has not finished is removed.
  func digests() async throws(Fault) -> Set<String> {
    try await waiting { () throws(Fault) in try list() }
  }

  /// Does something with files while this task is suspended.
  private func waiting<Value: Sendable>(
    _ work: @escaping @Sendable () throws(Fault) -> Value
  ) async throws(Fault) -> Value {
    let result: Result<Value, Fault> = await withCheckedContinuation { continuation in
      Self.queue.async { continuation.resume(returning: Result(catching: work)) }
    }
    return try result.get()
  }

  private func write(_ bytes: [UInt8], as digest: String, word: String) throws(Fault) {
    let place = place(of: digest)
    if size(of: place.file) == bytes.count { return }
    for folder in [folder, place.folder] { try makeFolder(folder) }
    let unfinished = "\(place.folder)/\(Self.unfinished)\(digest)-\(word)"
    if let wrong = DurableNames.write(bytes, to: place.file, as: unfinished, mode: 0o600) {
      throw Fault(description: wrong)
    }
  }

  private func read(_ digest: String) throws(Fault) -> [UInt8]? {
    let file = place(of: digest).file
    guard let size = size(of: file) else { return nil }
    guard size <= Photo.longest + PhotoCleaning.mostAdded else {
      throw Fault(description: "the file of photo \(digest) is longer than any photo")
    }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw Fault(description: "the file of photo \(digest) cannot be read")
    }
    return Array(data)
  }

  private func erase(_ digest: String) throws(Fault) -> Bool {
    let place = place(of: digest)
    guard size(of: place.file) != nil else { return false }
    do { try FileManager.default.removeItem(atPath: place.file) } catch {
      throw Fault(description: "the file of photo \(digest) cannot be removed")
    }
    if let wrong = DurableNames.synchronize(place.folder) { throw Fault(description: wrong) }
    return true
  }

  private func list() throws(Fault) -> Set<String> {
    let files = FileManager.default
    guard files.fileExists(atPath: folder) else { return [] }
    do {
      let names = try files.contentsOfDirectory(atPath: folder).flatMap { name in
        let own = "\(folder)/\(name)"
        let names = try files.contentsOfDirectory(atPath: own)
        // One file is worked on after the other: none is being written now.
        for name in names where name.hasPrefix(Self.unfinished) {
          try files.removeItem(atPath: "\(own)/\(name)")
        }
        return names
      }
      return Set(names.filter(Self.isDigest))
    } catch { throw Fault(description: "the folder \(folder) cannot be read") }
  }

  private func size(of file: String) -> Int? {
    (try? SystemCalls.size(ofFile: file)).flatMap { Int(exactly: $0) }
  }

  private func makeFolder(_ path: String) throws(Fault) {
    guard !FileManager.default.fileExists(atPath: path) else { return }
    do throws(SystemError) { try SystemCalls.makeFolder(path) } catch {
      // Somebody else has made it meanwhile.
      guard !FileManager.default.fileExists(atPath: path) else { return }
      throw Fault(description: Descriptors.message(error.code))
    }
    if let wrong = DurableNames.synchronize(DurableNames.parent(of: path)) {
      throw Fault(description: wrong)
    }
  }
}
