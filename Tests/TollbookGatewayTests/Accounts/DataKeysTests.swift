import Crypto
import Foundation
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite("the data keys of accounts") struct DataKeysTests {
  private static let one = SymmetricKey(data: Data(repeating: 1, count: 32))
  private static let two = SymmetricKey(data: Data(repeating: 2, count: 32))
  private let resource = ResourceKey(account: "acme", kind: "atlas.note", path: "1")

  private func keys(_ folder: TemporaryFolder, _ master: SymmetricKey?) -> DataKeys {
    DataKeys(KeyFile(folder: folder.path, master: master))
  }

  @Test(arguments: [true, false])
  func `what is sealed is opened again, also by the next process`(_ hasMaster: Bool) throws {
    let folder = try TemporaryFolder()
    let master = hasMaster ? Self.one : nil
    let content = Array("a text of acme's, a text of acme's".utf8)
    let sealed = try #require(keys(folder, master).seal(content, as: resource))
    #expect(!String(decoding: sealed, as: UTF8.self).contains("acme"))
    #expect(keys(folder, master).open(sealed, as: resource) == content)
    #expect(keys(folder, master).seal(content, as: resource) != sealed)
  }

  @Test func `nothing is opened as another's, or as something else`() throws {
    let folder = try TemporaryFolder()
    let keys = keys(folder, Self.one)
    let sealed = try #require(keys.seal([1, 2, 3], as: resource))
    let others = [
      ResourceKey(account: "acme", kind: "atlas.note", path: "2"),
      ResourceKey(account: "zenith", kind: "atlas.note", path: "1"),
      ResourceKey(shared: "atlas.note", path: "1"),
    ]
    for other in others { #expect(keys.open(sealed, as: other) == nil) }
    for index in sealed.indices {
      var damaged = sealed
      damaged[index] ^= 1
      #expect(keys.open(damaged, as: resource) == nil)
    }
    #expect(keys.seal([1], as: ResourceKey(shared: "atlas.note", path: "1")) == nil)
  }

  @Test func `a digest is an account's own, and the same each time`() throws {
    let folder = try TemporaryFolder()
    let keys = keys(folder, nil)
    let digest = try keys.digest([1], of: "acme")
    #expect(digest.utf8.count == 64)
    #expect(try keys.digest([1], of: "acme") == digest)
    #expect(try keys.digest([2], of: "acme") != digest)
    #expect(try keys.digest([1], of: "zenith") != digest)
  }

  @Test func `when the key is destroyed nothing is opened, and there is another one`() throws {
    let folder = try TemporaryFolder()
    let keys = keys(folder, Self.one)
    let digest = try keys.digest([1], of: "acme")
    let other = try keys.digest([1], of: "zenith")
    let sealed = try #require(keys.seal([1], as: resource))
    try keys.shred("acme")
    #expect(keys.open(sealed, as: resource) == nil)
    #expect(try keys.digest([1], of: "acme") != digest)
    #expect(keys.open(sealed, as: resource) == nil)
    #expect(try keys.digest([1], of: "zenith") == other)
  }

  @Test func `a key of another master key is told, and not replaced`() throws {
    let folder = try TemporaryFolder()
    let digest = try keys(folder, Self.one).digest([1], of: "acme")
    for master in [Self.two, nil] {
      let error = #expect(throws: AccountRefusal.self) {
        try keys(folder, master).digest([1], of: "acme")
      }
      #expect(error?.description.contains("another master key") == true)
    }
    #expect(try keys(folder, Self.one).digest([1], of: "acme") == digest)
  }

  @Test func `the file is its owner's alone`() throws {
    let folder = try TemporaryFolder()
    _ = try keys(folder, nil).digest([1], of: "acme")
    let attributes = try FileManager.default.attributesOfItem(
      atPath: "\(folder.path)/\(KeyFile.fileName)")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
  }
}
