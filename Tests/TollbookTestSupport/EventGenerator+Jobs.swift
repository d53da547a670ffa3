import Foundation
import TollbookEvents
import TollbookViews

extension EventGenerator {
  /// Something happens to a job, or one is queued.
  mutating func moveSomeJob() {
    guard formats != .first else { return }
    let open = model.jobs.filter { $0.value.ended == nil }.keys.sorted()
    guard !open.isEmpty, random.chance(75) else { return queueJob() }
    let job = random.pick(open)
    switch random.int(0...3) {
    case 0: begin(job)
    case 1, 2: progress(job)
    default: finish(job)
    }
  }

  private mutating func queueJob() {
    var event = JobQueued()
    event.kind = random.pick(["keepa.warm", Self.composed])
    event.account = random.pick(Self.accounts)
    event.request = Data(random.bytes(random.int(0...900)))
    event.total = UInt64(random.int(0...900))
    event.actor = random.pick(["", "somebody"])
    event.tags = someTags()
    event.accessKey = random.pick(["", "key-1"])
    let number = emit(.jobQueued(event))
    model.jobs[number] = LogModel.Job(
      kind: bytes(event.kind), account: bytes(event.account), actor: bytes(event.actor),
      queued: time, total: event.total, request: [UInt8](event.request))
  }

  private mutating func begin(_ job: Position) {
    var event = JobStarted()
    event.job = job
    emit(.jobStarted(event))
    model.jobs[job]?.state = .running
    model.jobs[job]?.started = time
    model.jobs[job]?.starts += 1
  }

  private mutating func progress(_ job: Position) {
    var event = JobProgressed()
    event.job = job
    event.done = UInt64(random.int(0...900))
    event.failed = UInt64(random.int(0...9))
    emit(.jobProgressed(event))
    model.jobs[job]?.done = event.done
    model.jobs[job]?.failed = event.failed
    model.jobs[job]?.starts = 0
  }

  private mutating func finish(_ job: Position) {
    var event = JobFinished()
    event.job = job
    event.end = random.pick([.done, .failed, .cancelled])
    event.done = UInt64(random.int(0...900))
    event.failed = UInt64(random.int(0...9))
    event.detail = random.pick(["", Self.decomposed])
    event.actor = random.pick(["", "somebody"])
    emit(.jobFinished(event))
    model.jobs[job]?.state =
      switch event.end {
      case .done: .done
      case .cancelled: .cancelled
      default: .failed
      }
    model.jobs[job]?.done = event.done
    model.jobs[job]?.failed = event.failed
    let detail = bytes(event.detail)
    model.jobs[job]?.detail = detail
    model.jobs[job]?.ended = time
    model.jobs[job]?.request = nil
  }

  /// Tags, now and then that of a job, which may have ended.
  mutating func someTags() -> [String] {
    let tags = random.pick([[], [], ["batch"], ["batch", Self.composed], [Self.decomposed]])
    guard !model.jobs.isEmpty, random.chance(30) else { return tags }
    return tags + ["job:\(random.pick(model.jobs.keys.sorted()))"]
  }
}
