import Dispatch
import Synchronization
package import TollbookEvents
package import TollbookLog

extension EventLog {
  /// Appends events by one decision.
  @discardableResult
  package func append(
    _ events: [Event], bodies: [Body] = [], prunedBodies: [[UInt8]] = []
  ) async throws(LogError) -> Decided<Position> {
    try await decide { _, context in
      Decision(
        events: events, bodies: bodies, prunedBodies: prunedBodies, answer: context.next)
    }
  }

  /// Waits for what was handed to the writer before, and lets the tasks that waited for it go on. Before a test lets its
  /// clock go on: on a busy machine whatever is still being written would else come too late.
  package func settle() async {
    _ = try? await decide { _, _ in Decision(answer: ()) }
    for _ in 0..<20 { await Task.yield() }
  }

  /// Runs deciders in their order and in one commit: the writer is held until all are queued.
  package func decideTogether<Answer: Sendable>(
    _ deciders: [Decider<Answer>]
  ) async -> [Result<Decided<Answer>, LogError>] {
    let gate = WriterGate()
    await gate.close(self)
    var queued: [Task<Result<Decided<Answer>, LogError>, Never>] = []
    for decider in deciders {
      queued.append(
        Task {
          do throws(LogError) { return .success(try await decide(decider)) } catch {
            return .failure(error)
          }
        })
      // A writer that is not open refuses at once.
      while queueDepth < queued.count, writerState == .open { await Task.yield() }
    }
    gate.open()
    var results: [Result<Decided<Answer>, LogError>] = []
    for task in queued { results.append(await task.value) }
    await gate.passed()
    return results
  }
}

/// Holds the writer of a log inside a decision, so that a test decides what is queued meanwhile.
package final class WriterGate: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let isHolding = Atomic(false)
  private let decision = Mutex<Task<Void, Never>?>(nil)

  package init() {}

  /// Returns when the writer stands at the gate, with an empty queue behind it.
  package func close(_ log: EventLog) async {
    decision.withLock { decision in
      decision = Task { [self] in
        _ = try? await log.decide { [self] _, _ in
          isHolding.store(true, ordering: .sequentiallyConsistent)
          semaphore.wait()
          return Decision(answer: ())
        }
        // Refused by a writer that is not open, or passed.
        isHolding.store(true, ordering: .sequentiallyConsistent)
      }
    }
    while !isHolding.load(ordering: .sequentiallyConsistent) { await Task.yield() }
  }

  /// Lets the writer go on.
  package func open() { semaphore.signal() }

  /// Returns when the writer has passed the gate.
  package func passed() async { await decision.withLock { $0 }?.value }
}
