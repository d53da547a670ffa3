import Testing

/// Where calls leave the process: an address that a user gives is called in one place, behind the address guard.
@Suite struct OutgoingCallTests {
  private let tree: SourceTree

  init() throws { tree = try SourceTree.shared.get() }

  /// What opens connections to somewhere else.
  private static let openers = [
    "HTTPClient(", "HTTPClient.shared", "URLSession", "FoundationNetworking", "ClientBootstrap",
  ]
  /// The files that may. Each calls what the settings name, or Tollbook's own address, but for the second.
  private static let callers = [
    "Sources/TollbookUpstreams/UpstreamClient.swift", messages,
    "Sources/tollbook/Commands/DemoStory.swift", "Sources/tollbook/Running/Owner.swift",
    "Sources/tollbook/Running/ServiceClient.swift",
  ]
  /// Calls what users give.
  private static let messages = "Sources/TollbookUpstreams/Messages/MessageSender.swift"

  @Test func `calls leave the process in a few places`() {
    let found = tree.files.filter { file in
      file.path.hasPrefix("Sources/")
        && file.lines.contains { line in Self.openers.contains { line.code.containsCall(of: $0) } }
    }.map(\.path)
    #expect(Set(found).symmetricDifference(Self.callers).sorted() == [])
  }

  @Test func `what calls an address that a user gives looks at it first, and follows nothing`()
    throws
  {
    let file = try #require(tree.files.first { $0.path == Self.messages })
    let code = file.lines.map(\.code)
    let look = try #require(code.firstIndex { $0.contains("addresses.address(of:") })
    let call = try #require(code.firstIndex { $0.containsCall(of: "HTTPClient(") })
    #expect(look < call)
    #expect(code.contains { $0.contains("redirectConfiguration: .disallow") })
    #expect(code.contains { $0.contains("configuration.dnsOverride[") })
  }
}

extension String {
  /// Whether a word stands here that is not the end of a longer one, such as of `UpstreamHTTPClient(`.
  fileprivate func containsCall(of word: String) -> Bool {
    ranges(of: word).contains { range in
      guard range.lowerBound > startIndex else { return true }
      let before = self[index(before: range.lowerBound)]
      return !before.isLetter && !before.isNumber && before != "_"
    }
  }
}
