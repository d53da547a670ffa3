import Foundation
import Testing
import TollbookTestSupport

@testable import DealScout

/// E-mail through a program: a shell script stands in for `sendmail`.
@Suite(.timeLimit(.minutes(2)))
struct MailProgramTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func program(
    _ script: String,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  ) throws -> MailProgram {
    let path = "\(folder.path)/sendmail"
    try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
    return MailProgram(path, sleep: sleep)
  }

  private func send(_ program: MailProgram, _ text: String = "hello\n") async throws
    -> MailProgram.Ending
  {
    await program.send(
      Array(text.utf8), id: "0123", to: try EmailAddress("a@b.example"), folder: folder.path)
  }

  private func file(_ name: String) -> String? {
    try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
  }

  @Test func `the program gets the recipient, the message, and of the environment the path alone`()
    async throws
  {
    let long = String(repeating: "0123456789abcdef\n", count: 10_000)
    let program = try program(
      "echo \"$@\" > '\(folder.path)/args'; env > '\(folder.path)/env'; cat > '\(folder.path)/in'")
    #expect(try await send(program, long) == .taken)
    #expect(file("args") == "-i a@b.example\n")
    #expect(file("in") == long)
    let environment = try #require(file("env"))
    let names = environment.split(separator: "\n").compactMap { $0.split(separator: "=").first }
    #expect(names.contains("PATH"))
    // The others a shell sets itself.
    #expect(Set(names).subtracting(["PATH", "PWD", "OLDPWD", "SHLVL", "_"]).isEmpty, "\(names)")
    // Nothing of the message is left.
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.hasPrefix("mail-") })
  }

  @Test(arguments: [64, 65, 66, 67, 68])
  func `what the program says of the message or the recipient is final`(status: Int) async throws {
    let ending = try await send(try program("exit \(status)"))
    #expect(ending == .refused("the program ended with status \(status)"))
  }

  @Test(arguments: [75, 69, 71, 78, 1, 127])
  func `any other failure may pass`(status: Int) async throws {
    let ending = try await send(try program("exit \(status)"))
    #expect(ending == .failed("the program ended with status \(status)"))
  }

  @Test func `a program that does not read, and writes without end, harms nobody`() async throws {
    let message = String(repeating: "x", count: 200_000)
    let silent = try await send(try program("exit 0"), message)
    #expect(silent == .taken)
    let loud = try await send(try program("head -c 5000000 /dev/zero; exit 0"), message)
    #expect(loud == .taken)
  }

  @Test func `a program that hangs is killed`() async throws {
    let note = "\(folder.path)/pid"
    let program = try program("echo $$ > '\(note)'; exec sleep 600") { _ in
      // The time is over once it runs, however late that is.
      while (try? String(contentsOfFile: note, encoding: .utf8))?.hasSuffix("\n") != true {
        try Task.checkCancellation()
        await Task.yield()
      }
    }
    let ending = try await send(program)
    guard case .failed(let detail) = ending else {
      Issue.record("\(ending)")
      return
    }
    #expect(detail.contains("did not end within"))
    let id = try #require(file("pid").flatMap { Int32($0.filter(\.isNumber)) })
    #expect(kill(id, 0) != 0)
  }

  @Test func `a program that is not there, or is none, is told`() async throws {
    let gone = try await send(MailProgram("\(folder.path)/none"))
    #expect(gone == .failed("the program cannot be started"))
  }
}
