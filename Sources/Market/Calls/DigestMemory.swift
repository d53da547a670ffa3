import Synchronization

/// What was read from bodies or reckoned from them, by their digests, so that a body that is asked for again and again is
/// read once.
///
/// Two generations: what was asked for since the last turn, and what was asked for in the one before. When the first is
/// full, the second is given up.
final class DigestMemory<Value: Sendable>: Sendable {
  private struct Generations {
    var young: [[UInt8]: Value] = [:]
    var old: [[UInt8]: Value] = [:]
  }

  private let most: Int
  private let generations = Mutex(Generations())

  /// - Parameter most: values of one generation.
  init(most: Int = 512) { self.most = max(1, most) }

  /// How many values there are.
  var count: Int { generations.withLock { $0.young.count + $0.old.count } }

  /// What is remembered of a digest; nil: nothing, or that is forgotten.
  func value(of digest: [UInt8]) -> Value? {
    guard !digest.isEmpty else { return nil }
    return generations.withLock { generations in
      if let young = generations.young[digest] { return young }
      guard let old = generations.old.removeValue(forKey: digest) else { return nil }
      keep(old, digest, &generations)
      return old
    }
  }

  /// Remembers it. An empty digest is that of a body which is not kept: of it nothing is remembered.
  func keep(_ value: Value, of digest: [UInt8]) {
    guard !digest.isEmpty else { return }
    generations.withLock { keep(value, digest, &$0) }
  }

  private func keep(_ value: Value, _ digest: [UInt8], _ generations: inout Generations) {
    if generations.young.count >= most {
      generations.old = generations.young
      generations.young = [:]
    }
    generations.young[digest] = value
  }
}
