import Synchronization

/// The addresses at which a Tollbook listens, as they come: it is ready when the last one is there.
final class Listening: Sendable {
  struct Addresses: Hashable, Sendable {
    /// Such as `http://127.0.0.1:8000`.
    var plain = ""
    /// Such as `https://127.0.0.1:8443`; nil: none.
    var secure: String?
  }

  private let state: Mutex<(addresses: Addresses, missing: Int)>

  init(count: Int) { state = Mutex((Addresses(), count)) }

  /// Notes one.
  ///
  /// - Returns: all of them, if that was the last one.
  func add(_ address: String, isSecure: Bool) -> Addresses? {
    state.withLock { state in
      if isSecure { state.addresses.secure = address } else { state.addresses.plain = address }
      state.missing -= 1
      return state.missing == 0 ? state.addresses : nil
    }
  }
}
