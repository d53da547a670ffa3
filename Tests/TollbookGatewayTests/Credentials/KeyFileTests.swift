import Crypto
import Foundation
import Testing
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct `The file of sealed credentials` {
  private let folder: TemporaryFolder
  private let master = SymmetricKey(data: Data(repeating: 7, count: 32))

  init() throws { folder = try TemporaryFolder() }

  private var path: String { "\(folder.path)/\(KeyFile.fileName)" }

  private func open(_ master: SymmetricKey?) -> KeyFile {
    KeyFile(folder: folder.path, master: master)
  }

  @Test func `a secret is there again after a restart, and nobody else may read the file`() throws {
    try open(master).seal("canary-secret", of: "atlas:1")
    #expect(open(master).secret(of: "atlas:1") == "canary-secret")
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(!text.contains("canary"))
    #expect(!text.contains(Data("canary-secret".utf8).base64EncodedString()))
  }

  @Test func `another master key opens nothing, and none seals nothing`() throws {
    try open(master).seal("canary-secret", of: "atlas:1")
    let other = open(SymmetricKey(data: Data(repeating: 8, count: 32)))
    #expect(other.secret(of: "atlas:1") == nil)
    #expect(other.holds("atlas:1"))
    let none = open(nil)
    #expect(none.secret(of: "atlas:1") == nil)
    let refusal = #expect(throws: AccountRefusal.self) { try none.seal("x", of: "atlas:2") }
    #expect(refusal?.description.contains("TOLLBOOK_MASTER_KEY") == true)
    #expect(!none.holds("atlas:2"))
  }

  @Test func `a line is nobody else's, and a changed one opens nothing`() throws {
    let file = open(master)
    try file.seal("one", of: "atlas:1")
    try file.seal("two", of: "atlas:2")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let swapped = "atlas:1 \(lines[1][1])\natlas:2 \(lines[0][1])\n"
    try swapped.write(toFile: path, atomically: false, encoding: .utf8)
    #expect(open(master).secret(of: "atlas:1") == nil)
    #expect(open(master).secret(of: "atlas:2") == nil)
    var sealed = Array(try #require(Data(base64Encoded: lines[0][1])))
    for index in sealed.indices {
      sealed[index] ^= 1
      try "atlas:1 \(Data(sealed).base64EncodedString())\n".write(
        toFile: path, atomically: false, encoding: .utf8)
      #expect(open(master).secret(of: "atlas:1") == nil, "byte \(index)")
      sealed[index] ^= 1
    }
  }

  @Test func `what was shredded nothing can read, and the others stay`() throws {
    let file = open(master)
    try file.seal("one", of: "atlas:1")
    try file.seal("two", of: "atlas:2")
    try file.shred("atlas:1")
    #expect(file.secret(of: "atlas:1") == nil)
    #expect(open(master).secret(of: "atlas:1") == nil)
    #expect(open(master).secret(of: "atlas:2") == "two")
    #expect(!(try String(contentsOfFile: path, encoding: .utf8)).contains("atlas:1"))
  }

  @Test func `a file that is none is not written over`() throws {
    try "no key file\nat all".write(toFile: path, atomically: false, encoding: .utf8)
    let file = open(master)
    #expect(throws: AccountRefusal.self) { try file.seal("x", of: "atlas:1") }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "no key file\nat all")
  }

  @Test func `a change that cannot be written leaves the file, and what it tells, as they were`()
    throws
  {
    let file = open(master)
    try file.seal("one", of: "atlas:1")
    let before = try String(contentsOfFile: path, encoding: .utf8)
    try FileManager.default.createDirectory(
      atPath: "\(path).new", withIntermediateDirectories: false)
    let refusal = #expect(throws: AccountRefusal.self) { try file.seal("two", of: "atlas:2") }
    #expect(refusal?.description == "\(path) cannot be written")
    #expect(file.secret(of: "atlas:1") == "one")
    #expect(!file.holds("atlas:2"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == before)
  }

  @Test(arguments: ["", "!!", "c2hvcnQ=", String(repeating: "QUJD", count: 11)])
  func `a master key that is none is refused, and is not repeated`(_ text: String) {
    let refusal = #expect(throws: AccountRefusal.self) { _ = try KeyFile.master(text) }
    if !text.isEmpty { #expect(refusal?.description.contains(text) == false) }
  }

  @Test func `32 bytes in base64 are a master key, with a line break behind them too`() throws {
    let text = Data(repeating: 7, count: 32).base64EncodedString() + "\n"
    let key = try KeyFile.master(text)
    #expect(key == master)
  }
}
