import Hummingbird
import TollbookProofs

extension HTTPService {
  /// `GET /log/key` and `/log/checkpoint`, in the formats of C2SP signed-note and tlog-checkpoint.
  func addCheckpoints(to router: Router<TollbookContext>) {
    router.route("/log/key", get: { _, _ in try key() })
    router.route("/log/checkpoint", get: { _, _ in try checkpoint() })
  }

  /// The public key by which checkpoints and statements are checked.
  private func key() throws(Problem) -> Response {
    .text("\(try publisher().signer.verifier)\n")
  }

  /// The tree of the last commit, signed now.
  private func checkpoint() throws(Problem) -> Response {
    let publisher = try publisher()
    do throws(CheckpointRefusal) {
      let (note, checkpoint) = try publisher.signed()
      return .text(note.string, position: checkpoint.size)
    } catch { throw Problem(.damagedStorage, "\(error)") }
  }

  private func publisher() throws(Problem) -> CheckpointPublisher {
    guard let checkpoints else {
      throw Problem(
        .notFound, "this Tollbook has no key to sign with: see what it said when it started")
    }
    return checkpoints
  }
}

extension Response {
  fileprivate static func text(_ text: String, position: UInt64? = nil) -> Response {
    var headers: HTTPFields = [.contentType: "text/plain; charset=utf-8"]
    if let position { headers[.position] = "\(position)" }
    return Response(
      status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}
