import Foundation
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

  @Test func `a key that was destroyed before its pictures went leaves none for long`() async throws
  {
    try await SellerStand.serving { stand, _ in
      let photos = stand.desk.photos
      let lost = try await photos.add(try photo(1), of: "default")
      let known = try await photos.add(try photo(2), of: "default")
      // As after a crash: the entry is gone, the file is there.
      _ = try await stand.gateway.removeKept(
        ResourceKey(account: "default", kind: SellerKinds.photo, path: lost.digest))
      #expect(try stand.photoFiles().count == 2)
      #expect(try await photos.sweep() == 1)
      #expect(try Self.digests(stand) == [known.digest])
    }
  }

  @Test func `no account is left out, however many there are`() async throws {
    try await SellerStand.serving { stand, client in
      let names = (1...5).map { "seller-\($0)" }
      for id in names {
        let made = try await client.post("/admin/accounts", #"{"id":"\#(id)"}"#)
        #expect(made.status == 201)
      }
      for portion in [2, 5] {
        #expect(try stand.desk.photos.accounts(by: portion) == ["default"] + names)
      }
    }
  }

  @Test func `pictures go in time though every schedule is paused`() async throws {
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
