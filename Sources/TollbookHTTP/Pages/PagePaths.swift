import Hummingbird
import Synchronization

/// Which paths of a router are pages, and what leads to them. Filled while its routes are made; a request only reads.
final class PagePaths: Sendable {
  /// What may be asked at a path.
  struct Entry: Hashable, Sendable {
    /// Whether it needs no sign-in.
    var isOpen = false
    /// Whether there is something to look at.
    var isShown = false
    /// Whether a form can be sent there.
    var takesForm = false
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var navigation: [PageFrame.Link] = []
  }

  private let state = Mutex(State())

  /// Whether it is reached over TLS.
  let isSecure: Bool

  init(isSecure: Bool = false) { self.isSecure = isSecure }

  /// - Parameter pattern: of the path, as it is registered.
  func add(_ pattern: String, _ entry: Entry, link: PageFrame.Link? = nil) {
    state.withLock { state in
      state.entries[pattern] = entry
      if let link { state.navigation.append(link) }
    }
  }

  /// What leads to the pages, in the order in which they were added.
  var navigation: [PageFrame.Link] { state.withLock { $0.navigation } }

  /// What is at the path of a request, whatever its method; nil: no page. Under a provider's host there is none.
  func entry(_ context: TollbookContext) -> Entry? {
    guard context.provider == nil, let pattern = context.endpointPath else { return nil }
    return state.withLock { $0.entries[pattern] }
  }

  /// Whether a request asks for what no router knows, where there are pages at all: a person has mistyped one.
  func isNowhere(_ context: TollbookContext) -> Bool {
    // What no router knows has a word instead of a path there.
    context.provider == nil && context.endpointPath?.hasPrefix("/") != true
      && state.withLock { !$0.entries.isEmpty }
  }

  /// Whether a request asks for a page, or sends a form to one, by its method.
  func isVisit(_ request: Request, _ entry: Entry) -> Bool {
    switch request.method {
    case .get, .head: entry.isShown
    case .post: entry.takesForm
    default: false
    }
  }
}
