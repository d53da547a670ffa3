import Hummingbird
import JSONText
import TollbookLog

extension HTTPService {
  /// `GET /log`: where the event log stands, and what it takes; with `as_of` the commit that holds a position.
  func addLog(to router: Router<TollbookContext>) {
    router.route(
      "/log",
      get: { request, _ in
        guard let asOf = try AsOf(QueryParameters(request), log) else { return try logState() }
        return try pastState(asOf)
      })
  }

  /// Where the log stood after the commit that holds a position.
  private func pastState(_ asOf: AsOf) throws -> Response {
    let reader = log.reader
    let commit = try log.read { (transaction) throws(LogError) in
      asOf.position == 0 ? nil : try reader.commit(holding: asOf.position, in: transaction)
    }
    return .object(position: asOf.position) { json in
      json.field("head", commit?.last ?? 0)
      json.field("first", commit?.first ?? 0)
      json.field("size", commit?.treeSize ?? 0)
      json.field("root", (commit?.root ?? MerkleTree.emptyRoot).hexadecimal)
      json.field("committed_at", commit?.time)
      json.field("mode", log.directory.mode.rawValue)
      json.field("position", asOf.position)
    }
  }

  private func logState() throws -> Response {
    let reader = log.reader
    let commit = try log.read { (transaction) throws(LogError) in
      try reader.lastCommit(in: transaction)
    }
    let space = try log.space()
    let head = commit?.last ?? 0
    return .object(position: head) { json in
      json.field("head", head)
      json.field("size", commit?.treeSize ?? 0)
      json.field("root", (commit?.root ?? MerkleTree.emptyRoot).hexadecimal)
      json.field("committed_at", commit?.time)
      json.field("mode", log.directory.mode.rawValue)
      json.field("bytes_on_disk", space.usedBytes)
      json.field("map_bytes", space.mapBytes)
      json.field("readers", space.readers.count)
      json.field("oldest_reader_lag", space.oldestReaderLag)
      json.object("writer") { json in
        switch log.writerState {
        case .open: json.field("state", "open")
        case .closed: json.field("state", "closed")
        case .readOnly(let reason):
          json.field("state", "read_only")
          json.field("detail", reason)
        }
      }
      json.field("queue_depth", log.queueDepth)
    }
  }
}
