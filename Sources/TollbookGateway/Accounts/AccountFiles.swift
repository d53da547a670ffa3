/// Files of accounts that a system keeps beside the log, such as pictures.
package struct AccountFiles: Sendable {
  /// Removes all files of an account, whose data key is about to be destroyed.
  let forget: @Sendable (_ gateway: Gateway, _ account: String) async throws -> Void
  /// Removes the files whose time is over, and those that no entry of the log names.
  ///
  /// - Returns: how many.
  let sweep: @Sendable (_ gateway: Gateway) async throws -> Int

  package init(
    forget: @escaping @Sendable (_ gateway: Gateway, _ account: String) async throws -> Void,
    sweep: @escaping @Sendable (_ gateway: Gateway) async throws -> Int
  ) {
    self.forget = forget
    self.sweep = sweep
  }
}

extension Gateway {
  /// One sweep of the files of all systems.
  func sweepFiles() async -> JobEnding {
    var removed = 0
    for files in accountFiles {
      do { removed += try await files.sweep(self) } catch { return .failed("\(error)") }
    }
    return .done(removed == 0 ? "" : "files removed \(removed)")
  }
}
