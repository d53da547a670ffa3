import Foundation
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookProofs

@Suite struct CheckpointTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func started(_ version: Int) -> Event {
    var event = ServiceStarted()
    event.version = "\(version)"
    return .serviceStarted(event)
  }

  private func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  // MARK: Formats

  /// The example of Go's note package.
  private let neumann = """
    If you think cryptography is the answer to your problem,
    then you don't know what your problem is.

    — PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

    """
  private let neumannKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

  @Test func `a note that others have signed is read, printed and verified`() throws {
    let note = try #require(SignedNote(neumann))
    let key = try #require(VerifierKey(neumannKey))

    #expect(note.string == neumann)
    #expect(key.description == neumannKey)
    #expect(key.hasSigned(note))
    for index in note.text.indices {
      var changed = note.text
      changed[index] ^= 1
      #expect(!key.hasSigned(SignedNote(text: changed, signatures: note.signatures)))
    }
    #expect(!key.hasSigned(SignedNote(text: note.text, signatures: [])))
  }

  @Test func `the example of C2SP is a note and its checkpoint one of that log`() throws {
    let quasimodo = """
      Ognuno sta solo sul cuor della terra
      trafitto da un raggio di sole:

      ed è subito sera.

      — quasimodo.example/salvatore \
      NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=

      """
    let note = try #require(SignedNote(quasimodo))
    #expect(String(decoding: note.text, as: UTF8.self).hasSuffix("sole:\n\ned è subito sera.\n"))
    #expect(note.signatures.map(\.name) == ["quasimodo.example/salvatore"])
    #expect(note.string == quasimodo)

    let text =
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    let checkpoint = try #require(Checkpoint(text: Array(text.utf8)))
    #expect(checkpoint.origin == "example.com/behind-the-sofa")
    #expect(checkpoint.size == 20_852_163)
    #expect(checkpoint.root.count == 32)
    #expect(checkpoint.text == Array(text.utf8))
  }

  @Test(arguments: [
    "", "\n", "text\n", "text\n\n", "text\n\n— a\n", "text\n\n— a b c\n", "text\n\n- a AAAAAAA=\n",
    "text\n\n— a AAAA\n", "text\n\n— a AAAAAAA=", "te\rxt\n\n— a AAAAAAA=\n", "— a AAAAAAA=\n",
    "text\n\n— a AAAAAAB=\n",
  ])
  func `what is no note is refused`(text: String) {
    #expect(SignedNote(text) == nil)
  }

  @Test(arguments: [
    "", "o\n1\n", "o\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "o\n+1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "o\n1\nAAAA\n",
    "o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  ])
  func `what is no checkpoint is refused`(text: String) {
    #expect(Checkpoint(text: Array(text.utf8)) == nil)
  }

  @Test func `a key with another id, name or length is no key`() {
    #expect(VerifierKey(neumannKey.replacing("c74f20a3", with: "c74f20a4")) == nil)
    #expect(VerifierKey(neumannKey.replacing("PeterNeumann", with: "Peter Neumann")) == nil)
    #expect(VerifierKey(neumannKey.replacing("PeterN", with: "PaulN")) == nil)
    #expect(VerifierKey(String(neumannKey.dropLast(4))) == nil)
    #expect(VerifierKey("PeterNeumann") == nil)
  }

  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    ),
    (
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    ),
  ])
  func `signatures are those of RFC 8032`(
    seed: String, message: String, publicKey: String, signature: String
  ) throws {
    let signer = try #require(CheckpointSigner(seed: bytes(seed), mode: .real))
    let note = try signer.sign(bytes(message))
    let long = [publicKey, signature].map(bytes)
    #expect(signer.verifier.publicKey == long[0])
    #expect(note.signatures.first?.bytes == long[1])
    #expect(signer.verifier.hasSigned(note))
  }

  // MARK: The key of a directory

  @Test func `a key is made once, for its owner alone, and says whose log it signs`() throws {
    let directory = try folder.own()
    #expect(throws: CheckpointKeyError.missing("\(directory.path)/checkpoint.key")) {
      try CheckpointSigner.read(of: directory)
    }
    let key = try CheckpointSigner.own(directory).verifier

    #expect(try folder.contents().keys.contains("data/checkpoint.key 600"))
    #expect(!(try folder.contents().keys.contains { $0.contains(".new") }))
    #expect(try CheckpointSigner.own(directory).verifier == key)
    #expect(try CheckpointSigner.read(of: directory).verifier == key)
    #expect(key.name.hasPrefix("tollbook-simulated/"))
    #expect(key.name == CheckpointSigner.name(of: key.publicKey, mode: .simulated))
    #expect(VerifierKey("\(key)") == key)
    let other = try CheckpointSigner.own(try folder.own("other")).verifier
    #expect(other != key)
  }

  @Test func `a key file that was changed is refused, and left as it is`() throws {
    let directory = try folder.own()
    _ = try CheckpointSigner.own(directory)
    let path = "\(directory.path)/checkpoint.key"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for change in [
      "", String(text.dropLast()), text.replacing("tollbook", with: "tollbock"),
      text.replacing("PRIVATE", with: "PUBLIC"), String(text.dropLast(6)) + "\n", text + text,
    ] {
      try change.write(toFile: path, atomically: false, encoding: .utf8)
      #expect(throws: CheckpointKeyError.unreadable(path)) {
        try CheckpointSigner.own(directory)
      }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == change)
    }
  }

  // MARK: The file

  @Test func `a checkpoint is published if there is something new`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    try await log.append([started(1), started(2)])
    let signer = try CheckpointSigner.own(log.directory)
    let publisher = CheckpointPublisher(log, signer: signer)
    let file = CheckpointFile(log.directory)
    #expect(try publisher.publish()?.size == 2)
    #expect(try publisher.publish() == nil, "the log did not grow")
    #expect(file.notes().map(\.checkpoint.size) == [2])
    try await log.append([started(3)])
    #expect(try publisher.publish()?.size == 3)

    let notes = file.notes()
    #expect(notes.map(\.checkpoint.size) == [2, 3])
    #expect(notes.allSatisfy { signer.verifier.hasSigned($0.note) })
    #expect(notes.last?.checkpoint.root == log.root)
    #expect(try folder.contents().keys.contains("data/checkpoints 600"))
    try await log.append([started(4)])
    #expect(try CheckpointPublisher(log, signer: signer).publish()?.size == 4)
    #expect(file.notes().map(\.checkpoint.size) == [2, 3, 4])
  }

  @Test func `an entry that was cut short anywhere is passed over, and the next one is whole`()
    async throws
  {
    let log = try folder.openLog()
    defer { log.close() }
    let signer = try CheckpointSigner.own(log.directory)
    let file = CheckpointFile(log.directory)
    let path = "\(log.directory.path)/checkpoints"
    try file.append(try signer.checkpoint(size: 1, root: log.root))
    let one = try #require(FileManager.default.contents(atPath: path))
    try file.append(try signer.checkpoint(size: 2, root: log.root))
    let two = try #require(FileManager.default.contents(atPath: path))
    #expect(file.notes().map(\.checkpoint.size) == [1, 2])
    for end in one.count..<two.count {
      try two.prefix(end).write(to: URL(fileURLWithPath: path))
      let before = file.notes().map(\.checkpoint.size)
      try file.append(try signer.checkpoint(size: 3, root: log.root))
      let sizes = file.notes().map(\.checkpoint.size)
      #expect(sizes == before + [3], "cut at \(end)")
      // What is whole but for its last newlines counts.
      #expect(before == [1] || end >= two.count - 2, "cut at \(end)")
    }
  }

  @Test func `nothing is signed that contradicts what was signed before`() async throws {
    var log = try folder.openLog("one")
    try await log.append([started(1), started(2), started(3)])
    let signer = try CheckpointSigner.own(log.directory)
    _ = try CheckpointPublisher(log, signer: signer).publish()
    let published = try #require(
      FileManager.default.contents(atPath: "\(log.directory.path)/checkpoints"))
    log.close()

    for events in [[started(1)], (4...9).map(started)] {
      log = try folder.openLog("other \(events.count)")
      defer { log.close() }
      try await log.append(events)
      try published.write(to: URL(fileURLWithPath: "\(log.directory.path)/checkpoints"))
      let publisher = CheckpointPublisher(log, signer: signer)
      let refusal = CheckpointRefusal.otherHistory(size: 3, head: log.head)
      #expect(throws: refusal) { try publisher.signed() }
      #expect(throws: refusal) { try publisher.publish() }
    }
  }

  @Test func `an empty log has a checkpoint that is not published`() async throws {
    let log = try folder.openLog()
    defer { log.close() }
    let publisher = CheckpointPublisher(log, signer: try CheckpointSigner.own(log.directory))
    #expect(try publisher.signed().checkpoint.size == 0)
    #expect(try publisher.signed().checkpoint.root == MerkleTree.emptyRoot)
    #expect(try publisher.publish() == nil)
    #expect(CheckpointFile(log.directory).notes().isEmpty)
  }
}
