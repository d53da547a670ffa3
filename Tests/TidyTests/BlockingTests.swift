import Testing

/// Requests are answered on a few threads that all tasks share. Who blocks one keeps everybody waiting, so calls that block
/// stand in few places, each with the reason why no shared thread waits there, or not for long.
@Suite struct BlockingTests {
  private let tree: SourceTree

  init() throws { tree = try SourceTree.shared.get() }

  /// Calls that block the thread they are made on.
  private static let calls = [
    "DispatchSemaphore(", "DispatchGroup(", "NSCondition(", ".wait()", ".sync {", "Thread.sleep",
    "usleep(", "nanosleep(", "sleep(forTimeInterval", "Data(contentsOf", "String(contentsOf",
    "contents(atPath", "readDataToEndOfFile", "readToEnd()", "availableData", "waitUntilExit",
    "getaddrinfo(", "readLine(",
  ]

  /// A file that may, and why.
  private static let allowed: [(path: String, reason: String)] = [
    (
      "Sources/TollbookLog/Writing/LogWriter.swift",
      "the writer's own thread waits for work; `perform` and `close` are not for async code"
    ),
    (
      "Sources/TollbookLog/Reading/ReadAhead.swift",
      "a replay waits for its chunk: at the start, in a command, or on the thread of a rebuild"
    ),
    ("Sources/TollbookLog/DataDirectory.swift", "two small files, read before anything is served"),
    (
      "Sources/TollbookArchive/Snapshots/SnapshotOutput.swift",
      "the queue of snapshots waits for its own hashing"
    ),
    (
      "Sources/TollbookArchive/Replay/Verification.swift",
      "`verify` waits for its own replays, in a process of its own"
    ),
    (
      "Sources/TollbookProofs/Checkpoints/CheckpointFile.swift",
      "a file of some kilobytes, read at each hourly checkpoint"
    ),
    ("Sources/TollbookProofs/Checkpoints/CheckpointSigner.swift", "a key, read at the start"),
    (
      "Sources/TollbookGateway/Credentials/SecretFile.swift",
      "some lines, read once, before anything is served"
    ),
    (
      "Sources/DealScout/Seller/Photos/PhotoStore.swift",
      "a queue of its own waits for the disk, while the task is suspended"
    ),
    (
      "Sources/TollbookHTTP/ProcessMemory.swift",
      "/proc/self/status: the system makes it in memory, and no disk is waited for"
    ),
    (
      "Sources/TollbookSimulators/Keepa/Product/RecordedBodies.swift",
      "recorded bodies, read when a simulator starts"
    ),
    // The command line: before it serves, at its end, or where nothing is served.
    ("Sources/tollbook/Settings/", "settings are read before anything is served"),
    ("Sources/tollbook/TLS/CertificateFiles.swift", "the certificate is read before it is served"),
    ("Sources/tollbook/Running/EndSignals.swift", "/proc/self/status, at the start"),
    (
      "Sources/tollbook/Running/EndLimit.swift",
      "a thread of its own that ends a process that hangs"
    ),
    ("Sources/tollbook/Verifying/VerifyChild.swift", "a command that serves nobody"),
    ("Sources/tollbook/Commands/StatementCommand.swift", "a command that serves nobody"),
    ("Sources/tollbook/Commands/KeepaCommand.swift", "a command that serves nobody"),
    ("Sources/tollbook/Commands/ExtractCommand.swift", "a command that serves nobody"),
    ("Sources/tollbook/Moving/BodyFolder.swift", "a command that serves nobody"),
    ("Sources/tollbook/Commands/CredentialCommandLine.swift", "a command that serves nobody"),
    ("Sources/tollbook/Commands/ReconcileCommand.swift", "a command that serves nobody"),
    ("Sources/tollbook/Commands/PurgeCommandLine.swift", "a command that serves nobody"),
  ]

  /// Where calls block. What is awaited does not.
  private var places: [(file: String, line: Int, call: String)] {
    tree.files.filter { $0.path.hasPrefix("Sources/") }.flatMap { file in
      file.lines.flatMap { line in
        Self.calls.filter { line.code.contains($0) && !line.code.contains("await ") }
          .map { (file.path, line.number, $0) }
      }
    }
  }

  @Test func `D28: no call blocks a thread that all tasks share`() {
    for (file, line, call) in places
    where !Self.allowed.contains(where: { file.hasPrefix($0.path) }) {
      Issue.record("\(file):\(line): \(call) blocks; await, or say why here is no harm in it")
    }
  }

  @Test func `who may block does, and says why`() {
    for (path, reason) in Self.allowed {
      #expect(places.contains { $0.file.hasPrefix(path) }, "\(path) blocks no more")
      #expect(!reason.isEmpty)
    }
  }
}
