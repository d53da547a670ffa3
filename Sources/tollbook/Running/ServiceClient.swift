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

  /// Lives as long as the process. Where nobody listens it says so at once, and does not try for a minute and a half.
  private static let http: HTTPClient = {
    var configuration = HTTPClient.Configuration.singletonConfiguration
    configuration.connectionPool.retryConnectionEstablishment = false
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }()

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

  /// A part of a form.
  struct FormPart {
    var name: String
    var content: [UInt8]
    var fileName: String?
    var type: String?

    init(_ name: String, _ content: [UInt8], fileName: String? = nil, type: String? = nil) {
      self.name = name
      self.content = content
      self.fileName = fileName
      self.type = type
    }

    /// How browsers write what would end a header or a name (RFC 7578, section 4.2; WHATWG, HTML, multipart/form-data).
    private static func escaped(_ text: String) -> String {
      text.replacing("\r", with: "%0D").replacing("\n", with: "%0A")
        .replacing("\"", with: "%22")
    }

    func write(_ boundary: String, to body: inout [UInt8]) {
      var head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\""
      if let fileName { head += "; filename=\"\(Self.escaped(fileName))\"" }
      if let type { head += "\r\nContent-Type: \(type)" }
      body += Array("\(head)\r\n\r\n".utf8) + content + Array("\r\n".utf8)
    }
  }

  /// Sends a form, and gives back the body of the answer.
  ///
  /// - Throws: as ``post(_:headers:timeout:_:)``.
  func post(
    _ path: String, form parts: [FormPart], timeout: TimeAmount = .minutes(10)
  ) async throws -> [UInt8] {
    let boundary = "tollbook-\(UUID().uuidString)"
    var body: [UInt8] = []
    for part in parts { part.write(boundary, to: &body) }
    body += Array("--\(boundary)--\r\n".utf8)
    var request = HTTPClientRequest(url: base + path)
    request.method = .POST
    request.headers.add(
      name: "Content-Type", value: "multipart/form-data; boundary=\(boundary)")
    request.body = .bytes(ByteBuffer(bytes: body))
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
      let response = try await Self.http.execute(request, timeout: timeout)
      status = response.status.code
      bytes = Array(try await response.body.collect(upTo: Self.mostAnswer).readableBytesView)
    } catch {
      throw Refused(
        "no Tollbook answers at \(base); start one with `tollbook serve`, or say --url.",
        isOfAll: true)
    }
    guard (200..<300).contains(status) else {
      let problem = (try? JSONDocument(bytes))?.root
      let detail = problem?["detail"]?.string
      let sentence = detail ?? "the Tollbook at \(base) answered with status \(status)"
      // An access key, or the account that pays, is the same for whatever is asked for next.
      let isOfAll = status == 401 || status == 403 || problem?["field"]?.string == "companyID"
      throw Refused(sentence.hasSuffix(".") ? sentence : "\(sentence).", isOfAll: isOfAll)
    }
    return bytes
  }
}
