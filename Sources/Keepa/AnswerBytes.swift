import Deflate
import Synchronization
import TollbookUpstreams

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
  let body: [UInt8]
  let isSimulated: Bool
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
  func read<Answer: Sendable>(
    _ raw: CompleteAnswer,
    _ read: @Sendable (Int, [UInt8]) throws(UpstreamFailure) -> Answer
  ) -> (bytes: Int, result: Result<Answer, UpstreamFailure>) {
    var bytes = 0
    do throws(UpstreamFailure) {
      let content = try Self.content(of: raw, maximumLength: maximumBody)
      bytes = content.count
      return (bytes, .success(try read(raw.status, content)))
    } catch {
      return (bytes, .failure(error))
    }
  }

  /// The body as it was before compression, going by its first bytes and not by what the headers
  /// say of it: there are servers and proxies that compress without a word, call it `x-gzip`, or
  /// announce it and do not. No JSON and no page begins like either format.
  private static func content(
    of raw: CompleteAnswer, maximumLength: Int
  ) throws(UpstreamFailure) -> [UInt8] {
    guard raw.body.isGzip || raw.body.isZlib else { return raw.body }
    do throws(DeflateError) {
      return try gunzip(raw.body, maximumLength: maximumLength)
    } catch {
      switch error {
      case .tooLarge: throw KeepaAnswer.withoutEnvelope(raw.status, KeepaAnswer.tooLong)
      case .corrupted, .truncated:
        throw KeepaAnswer.withoutEnvelope(raw.status, "the answer does not decompress")
      }
    }
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
