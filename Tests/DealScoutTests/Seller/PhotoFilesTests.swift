import Foundation
import HTTPTypes
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import DealScout

@Suite struct PhotoFilesTests {
  /// Of the files that are there.
  private static func digests(_ stand: SellerStand) throws -> [String] {
    // A file's permissions stand behind its name.
    try stand.photoFiles().map { String($0.prefix { $0 != " " }.suffix(64)) }
  }

  private func photo(_ seed: Int) throws -> Photo {
    try Photo(of: SamplePhotos.png(seed), declared: nil)
  }

  @Test func `the pictures of an account go with its data key, and no others`() async throws {
    try await SellerStand.serving { stand, client in
      for id in ["acme", "zenith"] {
        #expect(try await client.post("/admin/accounts", #"{"id":"\#(id)"}"#).status == 201)
      }
      let photos = stand.desk.photos
      let gone = try await photos.add(try photo(1), of: "acme")
      let kept = try await photos.add(try photo(1), of: "zenith")
      #expect(try stand.photoFiles().count == 2)
      let answer = try await client.post("/admin/accounts/acme/shred", "{}")
      #expect(answer.status == 200)
      #expect(try Self.digests(stand) == [kept.digest])
      #expect(try photos.record(gone.digest, of: "acme") == nil)
      #expect(try await client.get("/seller/photos/\(gone.digest)?account=acme").status == 404)
    }
  }

  @Test func `the account of all who show no key can be shredded`() async throws {
    try await SellerStand.serving { stand, client in
      _ = try await stand.desk.photos.add(try photo(1), of: "default")
      let answer = try await client.post("/admin/accounts/default/shred", "{}")
      #expect(answer.status == 200)
      #expect(try stand.photoFiles().isEmpty)
      #expect(try await client.post("/admin/accounts/nobody/shred", "{}").status == 404)
    }
  }

  @Test func `a picture that no entry names, as after a crash, goes with the next sweep`()
    async throws
  {
    try await SellerStand.serving { stand, _ in
      let photos = stand.desk.photos
      let lost = try await photos.add(try photo(1), of: "default")
      let known = try await photos.add(try photo(2), of: "default")
      _ = try await stand.gateway.removeKept(
        ResourceKey(account: "default", kind: SellerKinds.photo, path: lost.digest))
      #expect(try stand.photoFiles().count == 2)
      #expect(try await photos.sweep() == 1)
      #expect(try Self.digests(stand) == [known.digest])
    }
  }

  @Test func `what a killed process has not finished writing goes with the next sweep`()
    async throws
  {
    try await SellerStand.serving { stand, _ in
      let photos = stand.desk.photos
      let known = try await photos.add(try photo(1), of: "default")
      let folder = "\(photos.store.folder)/\(known.digest.prefix(2))"
      let unfinished = "\(folder)/.\(known.digest)-0011223344556677"
      try Data([1, 2, 3]).write(to: URL(filePath: unfinished))
      #expect(try await photos.sweep() == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [known.digest])
      #expect(try await photos.bytes(known, of: "default") != nil)
    }
  }

  @Test func `accounts that keep something are found, also where one name begins like another`()
    async throws
  {
    try await SellerStand.serving { stand, client in
      let (gateway, photos) = (stand.gateway, stand.desk.photos)
      let all = ["a", "a-1", "ab", "b", "default", "zz"]
      for id in all where id != "default" {
        #expect(try await client.post("/admin/accounts", #"{"id":"\#(id)"}"#).status == 201)
      }
      #expect(try gateway.accounts(keeping: [SellerKinds.photo]) == [])
      for id in ["zz", "a-1", "default", "a"] { _ = try await photos.add(try photo(1), of: id) }
      _ = try await photos.add(try photo(2), of: "a")
      let other = ResourceKey(account: "ab", kind: SellerKinds.snap, path: "1")
      try await gateway.keep([1], as: other)
      let keeping = ["a", "a-1", "default", "zz"]
      #expect(try gateway.accounts(keeping: [SellerKinds.photo]) == keeping)
      let both = [SellerKinds.photo, SellerKinds.snap]
      #expect(try gateway.accounts(keeping: both) == ["a", "a-1", "ab", "default", "zz"])
      #expect(try await client.send(.delete, "/admin/accounts/a-1").status == 200)
      #expect(try gateway.openAccounts(keeping: both) == ["a", "ab", "default", "zz"])
    }
  }

  @Test func `the housekeeping lets pictures go in time, and no schedule has a part in it`()
    async throws
  {
    try await SellerStand.serving { stand, _ in
      _ = try await stand.desk.photos.add(try photo(1), of: "default")
      stand.time.advance(byMilliseconds: 91 * 86_400_000)
      let house = Task { await stand.gateway.runHousekeeping() }
      while try !stand.photoFiles().isEmpty { await stand.log.settle() }
      house.cancel()
      await house.value
    }
  }
}
