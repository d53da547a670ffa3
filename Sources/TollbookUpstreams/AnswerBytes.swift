import Deflate
import Synchronization

/// How many bytes the bodies that one client is collecting may take together.
package final class AnswerBytes: Sendable {
  private let limit: Int
  private let taken = Mutex(0)

  package init(limit: Int) { self.limit = limit }

  /// What one body has taken of it; given back with the last reference.
  package final class Share: Sendable {
    private let all: AnswerBytes
    private let taken = Mutex(0)

    package init(of all: AnswerBytes) { self.all = all }

    deinit { all.taken.withLock { $0 -= taken.withLock { $0 } } }

    /// Takes more; returns false, and takes none, if so much is not left.
    package func take(_ count: Int) -> Bool {
      let isLeft = all.taken.withLock { taken in
        guard count <= all.limit - taken else { return false }
        taken += count
        return true
      }
      if isLeft { taken.withLock { $0 += count } }
      return isLeft
    }
  }
}

/// A complete answer, its body as it came.
struct CompleteAnswer: Sendable {
  let status: Int
  let headers: [(name: String, value: String)]
  let body: [UInt8]
  /// Kept as long as the body.
  let share: AnswerBytes.Share
}

/// Takes answers apart, one after the other: what that needs is a multiple of their length, and is
/// needed once however many come at the same time.
actor AnswerReader {
  private let maximumBody: Int

  /// - Parameter maximumBody: the longest body, in bytes and decompressed.
  init(maximumBody: Int) { self.maximumBody = maximumBody }

  /// Decompresses a body and reads it.
  func read<Value: Sendable>(
    _ raw: CompleteAnswer, _ reading: AnswerReading<Value>
  ) -> (bytes: Int, result: Result<Value, UpstreamFailure>) {
    var bytes = 0
    do throws(UpstreamFailure) {
      let content: [UInt8]
      do throws(DeflateError) {
        content = try Self.content(of: raw, maximumLength: maximumBody)
      } catch {
        var why = "the answer does not decompress"
        if case .tooLarge = error { why = TransportFailure.tooLong.detail }
        throw reading.unreadable(raw.status, why)
      }
      bytes = content.count
      let answer = UpstreamAnswer(status: raw.status, headers: raw.headers, body: content)
      return (bytes, .success(try reading.read(answer)))
    } catch {
      return (bytes, .failure(error))
    }
  }

  /// The body as it was before compression, going by its first bytes and not by what the headers
  /// say of it: there are servers and proxies that compress without a word, call it `x-gzip`, or
  /// announce it and do not. No JSON and no page begins like either format.
  private static func content(
    of raw: CompleteAnswer, maximumLength: Int
  ) throws(DeflateError) -> [UInt8] {
    guard raw.body.isGzip || raw.body.isZlib else { return raw.body }
    return try gunzip(raw.body, maximumLength: maximumLength)
  }
}

extension [UInt8] {
  /// RFC 1952, section 2.3.1.
  fileprivate var isGzip: Bool { starts(with: [0x1f, 0x8b]) }

  /// RFC 1950, section 2.2, with the largest window: what HTTP calls `deflate`.
  fileprivate var isZlib: Bool {
    count > 1 && self[0] == 0x78 && (Int(self[0]) << 8 + Int(self[1])) % 31 == 0
  }
}
