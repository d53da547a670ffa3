import AsyncHTTPClient
import Foundation
import JSONText
import NIOCore
import NIOHTTP1
import TollbookUpstreams

/// A running Tollbook, as a command that asks it like any other client sees it.
struct ServiceClient {
  /// What a service may say of one request, in bytes.
  private static let mostAnswer = 64 << 20

  /// Without a slash at its end.
  let base: String
  let accessKey: String?

  /// - Parameter url: where it is.
  init(
    _ url: String, accessKey: String? = ProcessInfo.processInfo.environment["TOLLBOOK_ACCESS_KEY"]
  )
    throws(Refused)
  {
    guard let address = BaseURL(url) else {
      throw Refused(
        "\(BaseURL.masked(url)) is no address of a Tollbook, such as http://127.0.0.1:8000.")
    }
    base = address.description
    self.accessKey = accessKey.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Sends JSON, and gives back the body of the answer.
  ///
  /// - Throws: `Refused` with the service's own sentence if it says no, or if it does not answer.
  func post(
    _ path: String, headers: [(String, String)] = [], timeout: TimeAmount = .minutes(10),
    _ body: (inout JSONWriter) -> Void
  ) async throws -> [UInt8] {
    var request = HTTPClientRequest(url: base + path)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    var json = JSONWriter()
    json.object { json in body(&json) }
    request.body = .bytes(ByteBuffer(bytes: json.bytes))
    return try await send(request, timeout)
  }

  /// Asks for something, and gives back the body of the answer.
  ///
  /// - Throws: as ``post(_:headers:timeout:_:)``.
  func get(
    _ path: String, headers: [(String, String)] = [], timeout: TimeAmount = .minutes(2)
  ) async throws -> [UInt8] {
    var request = HTTPClientRequest(url: base + path)
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    return try await send(request, timeout)
  }

  private func send(_ request: HTTPClientRequest, _ timeout: TimeAmount) async throws -> [UInt8] {
    var request = request
    if let accessKey { request.headers.add(name: "Tollbook-Access-Key", value: accessKey) }
    let status: UInt
    let bytes: [UInt8]
    do {
      let response = try await HTTPClient.shared.execute(request, timeout: timeout)
      status = response.status.code
      bytes = Array(try await response.body.collect(upTo: Self.mostAnswer).readableBytesView)
    } catch {
      throw Refused(
        "no Tollbook answers at \(base); start one with `tollbook serve`, or say --url.")
    }
    guard (200..<300).contains(status) else {
      let detail = (try? JSONDocument(bytes))?.root["detail"]?.string
      let sentence = detail ?? "the Tollbook at \(base) answered with status \(status)"
      throw Refused(sentence.hasSuffix(".") ? sentence : "\(sentence).")
    }
    return bytes
  }
}
