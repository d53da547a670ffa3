import AsyncHTTPClient
import Foundation
import JSONText
import NIOCore
import NIOHTTP1
import TollbookLog

/// The process that owns a data directory, as a command beside it sees it.
///
/// Commands that write ask it. Where nobody owns the directory they open the log themselves.
enum Owner {
  /// Asks the owner over its control socket.
  ///
  /// - Parameters:
  ///   - directory: the path of a data directory that is there.
  ///   - path: what is asked, such as `/resolve`.
  ///   - timeout: for the whole answer; work that takes long needs more.
  ///   - body: writes the members of the JSON object that is sent.
  /// - Returns: the answer; nil if nobody owns the directory.
  /// - Throws: `Refused` with the owner's own sentence if it says no, or if it does not answer.
  static func ask(
    directory: String, method: HTTPMethod = .POST, path: String,
    headers: [(String, String)] = [], timeout: TimeAmount = .seconds(30),
    body: ((inout JSONWriter) -> Void)? = nil
  ) async throws -> JSONDocument? {
    guard DataDirectory.isOwned(directory) else { return nil }
    let place = try DataDirectory.read(directory)
    let socket = try ControlSocket(of: place)
    guard let url = URL(httpURLWithSocketPath: socket.path, uri: path) else {
      throw Refused("\(place.controlSocket) is no path of a socket.")
    }
    var request = HTTPClientRequest(url: url.absoluteString)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body {
      var json = JSONWriter()
      json.object { json in body(&json) }
      request.headers.add(name: "Content-Type", value: "application/json")
      request.body = .bytes(ByteBuffer(bytes: json.bytes))
    }
    let status: UInt
    let bytes: [UInt8]
    do {
      let response = try await HTTPClient.shared.execute(request, timeout: timeout)
      status = response.status.code
      bytes = Array(try await response.body.collect(upTo: 16 << 20).readableBytesView)
    } catch {
      // It may have ended between the two: then there is nobody to ask.
      guard DataDirectory.isOwned(directory) else { return nil }
      throw Refused(
        "the Tollbook that owns the directory does not answer at \(place.controlSocket); if it is"
          + " stopping, try again when it has ended.")
    }
    withExtendedLifetime(socket) {}
    let answer = try? JSONDocument(bytes)
    guard (200..<300).contains(status) else {
      let detail = answer?.root["detail"]?.string
      let sentence = detail ?? "the owner of the directory answered with status \(status)"
      throw Refused(sentence.hasSuffix(".") ? sentence : "\(sentence).")
    }
    guard let answer else {
      throw Refused("the owner of the directory answered with something that is not JSON.")
    }
    return answer
  }
}

/// A “no” from the log or its owner, as a sentence.
struct Refused: Error, CustomStringConvertible {
  let description: String
  /// Whether all else that is asked for would be refused as well.
  let isOfAll: Bool

  init(_ description: String, isOfAll: Bool = false) {
    self.description = description
    self.isOfAll = isOfAll
  }
}
