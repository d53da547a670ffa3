import Foundation
import Testing
import TollbookTestSupport

/// A service holds the keys of upstreams, and a core of it would hold them too.
@Suite struct CoreDumpTests {
  /// Runs a command until its output has a word in it, sends SIGABRT, and says whether a core was written, as the system
  /// tells a parent.
  private static let script = """
    import os, resource, signal, subprocess, sys
    # Whoever runs the tests may have blocked it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGABRT})
    signal.signal(signal.SIGABRT, signal.SIG_DFL)
    limit = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
    child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE)
    for line in child.stdout:
        if sys.argv[1].encode() in line:
            break
    os.kill(child.pid, signal.SIGABRT)
    _, status = os.waitpid(child.pid, 0)
    print("limit", limit, "signal", os.WTERMSIG(status), "core", os.WCOREDUMP(status))
    """

  private func aborted(
    waitingFor word: String, _ command: [String], in folder: TemporaryFolder
  ) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", Self.script, word] + command
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    // What is set for the tests is not for the service.
    process.environment = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("TOLLBOOK_")
    }
    let output = Lines()
    process.standardOutput = output.pipe
    try process.run()
    let text = await output.all()
    process.waitUntilExit()
    return text
  }

  @Test func `of a service that is aborted no core is written`() async throws {
    let folder = try TemporaryFolder()
    // What shows that this machine writes cores at all.
    let other = try await aborted(
      waitingFor: "ready", ["sh", "-c", "echo ready; exec sleep 60"], in: folder)
    #expect(other.contains("signal 6"))
    let tool = try #require(Binary.process([], in: folder.path, environment: [:]).executableURL)
    let service = try await aborted(
      waitingFor: "ready",
      [tool.path, "serve", "--simulate", "--port", "0", "--data-dir", "\(folder.path)/data"],
      in: folder)
    #expect(service.contains("signal 6"))
    #expect(service.contains("core False"))
    if !other.contains("core True") {
      print("This machine writes no cores, so that the test shows little: \(other)")
    }
  }
}
