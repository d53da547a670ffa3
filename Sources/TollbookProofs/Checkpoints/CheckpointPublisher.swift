import Synchronization
package import TollbookEvents
package import TollbookLog

/// Why a log's checkpoints are not published.
package enum CheckpointRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was published once is not what the log holds: it was put back, or changed.
  case otherHistory(size: UInt64, head: Position)
  case failed(String)

  package var description: String {
    switch self {
    case .otherHistory(let size, let head):
      "no checkpoint is signed: an earlier one is of \(size) events, and the log, which has"
        + " \(head), does not hold what they were. It was put back to an older state, or changed."
        + " If that is meant, move the files checkpoints and checkpoint.key away:"
        + " then a new key begins a new series"
    case .failed(let reason): "no checkpoint is signed: \(reason)"
    }
  }
}

/// Publishes the checkpoints of a log that this process owns: one an hour if the log has grown, one when the service
/// starts and one when it stops.
///
/// What it signs never contradicts what it signed before: each time it looks whether the log still holds that.
package final class CheckpointPublisher: Sendable {
  /// Between two, in milliseconds.
  package static let interval: Int64 = 3_600_000

  package let signer: CheckpointSigner
  private let log: EventLog
  private let file: CheckpointFile
  private let last: Mutex<Checkpoint?>

  package init(_ log: EventLog, signer: CheckpointSigner) {
    self.log = log
    self.signer = signer
    file = CheckpointFile(log.directory)
    let origin = signer.verifier.name
    last = Mutex(file.notes().last { $0.checkpoint.origin == origin }?.checkpoint)
  }

  /// The checkpoint of the last commit, signed now. Nothing is written.
  package func signed() throws(CheckpointRefusal) -> (note: SignedNote, checkpoint: Checkpoint) {
    let published = last.withLock { $0 }
    let size: UInt64
    let root: TreeHash
    do throws(LogError) {
      (size, root) = try log.read { (transaction) throws(LogError) in
        let commit = try log.reader.lastCommit(in: transaction)
        let base = try log.reader.base(in: transaction)?.commit
        let size = commit?.treeSize ?? base?.treeSize ?? 0
        if let published, try !holds(published, size, in: transaction) { return (0, []) }
        return (size, commit?.root ?? base?.root ?? MerkleTree.emptyRoot)
      }
    } catch { throw .failed("\(error)") }
    guard !root.isEmpty else {
      throw .otherHistory(size: published?.size ?? 0, head: log.head)
    }
    let checkpoint = Checkpoint(origin: signer.verifier.name, size: size, root: root)
    do { return (try signer.sign(checkpoint.text), checkpoint) } catch {
      throw .failed("\(error)")
    }
  }

  /// Whether the log still begins with what was published.
  private func holds(
    _ checkpoint: Checkpoint, _ size: UInt64, in transaction: borrowing LogReading
  ) throws(LogError) -> Bool {
    guard checkpoint.size <= size else { return false }
    // What lies before the first event cannot be looked at any more.
    if let base = try log.reader.base(in: transaction), checkpoint.size < base.position {
      return true
    }
    var prover = MerkleProver(log.reader)
    return try prover.root(size: checkpoint.size, in: transaction) == checkpoint.root
  }

  /// Appends a checkpoint to the file, if the log has grown since the last one.
  ///
  /// - Returns: the checkpoint, nil if there is nothing new.
  @discardableResult
  package func publish() throws(CheckpointRefusal) -> Checkpoint? {
    let (note, checkpoint) = try signed()
    let published = last.withLock { $0 }
    guard checkpoint.size > 0, checkpoint.size > published?.size ?? 0 else { return nil }
    do { try file.append(note) } catch { throw .failed("\(error)") }
    last.withLock { $0 = checkpoint }
    return checkpoint
  }
}
