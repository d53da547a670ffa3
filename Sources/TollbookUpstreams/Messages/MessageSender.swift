import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import TollbookEvents

/// A message to an address that a user gave.
package struct OutgoingMessage: Sendable {
  package var url: GivenURL
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(_ url: GivenURL, headers: [(name: String, value: String)], body: [UInt8]) {
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// What came of sending a message.
package struct MessageReceipt: Hashable, Sendable {
  /// Of HTTP; 0: no answer came.
  package var status: Int
  /// For a person; empty: there is nothing to say.
  package var detail: String
  /// The receiver asks to be left alone for so long, in milliseconds; nil: it does not say.
  package var retryAfter: Int64?

  package init(status: Int, detail: String = "", retryAfter: Int64? = nil) {
    self.status = status
    self.detail = detail
    self.retryAfter = retryAfter
  }

  package var isTaken: Bool { (200...299).contains(status) }
}

/// Sends messages to addresses that users gave, each with a POST, once. Follows no redirect, and reads a little of the
/// answer.
package struct MessageSender: Sendable {
  package typealias Send = @Sendable (OutgoingMessage) async -> MessageReceipt

  /// Of an answer so many bytes are read; what is beyond is left.
  private static let mostRead = 16 << 10
  /// Of a refusal so many bytes are kept.
  private static let mostKept = 60

  private let addresses: AddressGuard
  private let timeout: Duration

  /// - Parameter timeout: for everything, from the look-up to the end of the answer.
  package init(_ addresses: AddressGuard, timeout: Duration = .seconds(10)) {
    self.addresses = addresses
    self.timeout = timeout
  }

  /// Never throws: what went wrong is in the receipt.
  package func send(_ message: OutgoingMessage) async -> MessageReceipt {
    await withTaskGroup(of: MessageReceipt.self) { group in
      group.addTask { await post(message) }
      group.addTask { [timeout] in
        try? await Task.sleep(for: timeout)
        return MessageReceipt(status: 0, detail: "no answer within \(timeout)")
      }
      let first = await group.next()
      group.cancelAll()
      return first ?? MessageReceipt(status: 0)
    }
  }

  private func post(_ message: OutgoingMessage) async -> MessageReceipt {
    let url = message.url
    let address: IPAddress
    do throws(AddressGuard.Refusal) { address = try await addresses.address(of: url) } catch {
      return MessageReceipt(status: 0, detail: error.description)
    }
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: TimeAmount(timeout), read: TimeAmount(timeout)),
      decompression: .disabled)
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    configuration.tracing.tracer = nil
    // To the address that was looked at, whatever the name stands for by now. The certificate must be for the name.
    for host in [url.writtenHost, url.host, "[\(url.host)]"] {
      configuration.dnsOverride[host] = address.description
    }
    let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    var request = HTTPClientRequest(url: url.text)
    request.method = .POST
    request.headers.add(name: "User-Agent", value: "tollbook")
    request.headers.add(name: "Content-Type", value: "application/json")
    for header in message.headers { request.headers.add(name: header.name, value: header.value) }
    request.body = .bytes(message.body)
    let receipt = await Self.answer(to: request, at: url, by: http)
    try? await http.shutdown()
    return receipt
  }

  private static func answer(
    to request: HTTPClientRequest, at url: GivenURL, by http: HTTPClient
  ) async -> MessageReceipt {
    do {
      let response = try await http.execute(request, deadline: .distantFuture)
      let status = Int(response.status.code)
      guard !(300...399).contains(status) else {
        return MessageReceipt(status: status, detail: "redirects are not followed")
      }
      var bytes: [UInt8] = []
      for try await part in response.body {
        bytes.append(contentsOf: part.readableBytesView.prefix(mostRead - bytes.count))
        if bytes.count >= mostRead { break }
      }
      guard !(200...299).contains(status) else { return MessageReceipt(status: status) }
      let text = String(decoding: bytes, as: UTF8.self)
      return MessageReceipt(
        status: status, detail: word(text, from: url),
        retryAfter: pause(response.headers.first(name: "Retry-After")))
    } catch {
      return MessageReceipt(status: 0, detail: TransportFailure.classify(error).detail)
    }
  }

  /// `Retry-After` in milliseconds; nil for anything but seconds in digits.
  private static func pause(_ header: String?) -> Int64? {
    guard let header, 1...9 ~= header.utf8.count,
      header.utf8.allSatisfy({ 0x30...0x39 ~= $0 })
    else { return nil }
    return Int64(header).map { $0 * 1_000 }
  }

  /// What a refusal says, if it is a few words such as `invalid_payload`. Of the address, which may be secret, nothing is
  /// repeated.
  private static func word(_ text: String, from url: GivenURL) -> String {
    let text = text.inOneLine()
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"), UInt8(ascii: " "), UInt8(ascii: "."):
        true
      default: false
      }
    }
    guard text.utf8.count <= mostKept, isPlain else { return "" }
    let isOfAddress = text.split(separator: " ").contains {
      $0.utf8.count >= 6 && url.text.contains($0)
    }
    return isOfAddress ? "" : text
  }
}
