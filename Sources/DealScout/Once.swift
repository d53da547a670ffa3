import Synchronization

/// Something that is made once, for who asks first. Who asks meanwhile waits for it, and where it has failed the next who
/// asks has it tried again.
final class Once<Value: Sendable>: Sendable {
  private let making = Mutex<Task<Value, any Error>?>(nil)

  /// - Parameter make: it does not end with who has asked for it.
  func value(_ make: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = making.withLock { making in
      if let making { return making }
      let task = Task { try await make() }
      making = task
      return task
    }
    do { return try await task.value } catch {
      making.withLock { making in
        if making == task { making = nil }
      }
      throw error
    }
  }
}
