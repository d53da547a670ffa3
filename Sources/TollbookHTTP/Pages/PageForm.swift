package import Hummingbird
import Synchronization
package import TollbookGateway

/// A form that a page takes: how it is read, and what is done with it.
package struct PageForm: Sendable {
  /// What an access key needs; nil: nothing.
  let scope: AccessScope?
  let answer: @Sendable (Request, PageContext, FormGate) async throws -> PageAnswer

  /// A form of texts, posted as `application/x-www-form-urlencoded`.
  ///
  /// - Parameters:
  ///   - fields: the names that may stand once. The token's own needs not be among them.
  ///   - several: the names that may stand several times.
  ///   - take: called only where the form carries a token that counts.
  package static func fields(
    _ fields: [String], several: [String] = [], scope: AccessScope? = .fetch,
    _ take: @escaping @Sendable (FormFields, PageContext) async throws -> PageAnswer
  ) -> PageForm {
    PageForm(scope: scope) { request, context, gate in
      let fields = try await FormFields(
        of: request, once: fields + [FormToken.field], several: several)
      try gate.admit(fields[FormToken.field])
      return try await take(fields, context)
    }
  }

  /// A form with files, which is read by rules of its own.
  ///
  /// - Parameters:
  ///   - read: reads it, and shows its token to the gate as soon as it has it: it stands before the files. Who asks is not
  ///     told to it, so that nothing is done before.
  ///   - take: called only where the token was shown, and counts.
  package static func upload<Content: Sendable>(
    scope: AccessScope? = .fetch,
    read: @escaping @Sendable (Request, FormGate) async throws -> Content,
    _ take: @escaping @Sendable (Content, PageContext) async throws -> PageAnswer
  ) -> PageForm {
    PageForm(scope: scope) { request, context, gate in
      let content = try await read(request, gate)
      try gate.requireAdmission()
      return try await take(content, context)
    }
  }
}

/// Lets in the form whose token counts.
package final class FormGate: Sendable {
  private let check: @Sendable (String?) throws(Problem) -> Void
  private let isAdmitted = Mutex(false)

  init(_ check: @escaping @Sendable (String?) throws(Problem) -> Void) { self.check = check }

  /// Takes the token of a form.
  ///
  /// - Throws: a `Problem` with the status 403 if it does not count.
  package func admit(_ token: String?) throws(Problem) {
    try check(token)
    isAdmitted.withLock { $0 = true }
  }

  /// Refuses a form of which no token was shown.
  func requireAdmission() throws(Problem) {
    if !isAdmitted.withLock({ $0 }) { try check(nil) }
  }
}
