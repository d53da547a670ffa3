import TollbookGateway
import TollbookHTTP

extension ProductsAnswer {
  /// When Tollbook itself is why there is no answer at all, the whole request is refused: try again later.
  var refusal: Problem? {
    guard let first = outcomes.first?.problem else { return nil }
    let isSame = outcomes.allSatisfy {
      // What was paid is told, whatever became of it.
      $0.source == .none && $0.paid == 0 && $0.inDoubt == 0
        && $0.problem?.reason == first.reason
    }
    guard isSame else { return nil }
    switch first.reason {
    case .busy: return Problem(.busy, first.detail).retrying(after: 1)
    case .storageFull: return Problem(.readOnly, first.detail).retrying(after: 30)
    case .stopping: return Problem(.stopping, first.detail).retrying(after: 5)
    case .storageFailed: return Problem(.storageFailed, first.detail).retrying(after: 5)
    default: return nil
    }
  }
}
