import JSONText
import Synchronization
import TollbookUpstreams

/// Takes what is sent to the addresses that users give.
final class NoticeListener: Sendable {
  private let state = Mutex<(messages: [OutgoingMessage], receipt: MessageReceipt)>(
    ([], MessageReceipt(status: 204)))

  var send: MessageSender.Send {
    { [self] message in
      state.withLock { state in
        state.messages.append(message)
        return state.receipt
      }
    }
  }

  var messages: [OutgoingMessage] { state.withLock(\.messages) }

  /// Answers this from here on.
  func answer(_ status: Int, _ detail: String = "") {
    state.withLock { $0.receipt = MessageReceipt(status: status, detail: detail) }
  }

  func header(_ name: String) -> [String?] {
    messages.map { message in message.headers.first { $0.name == name }?.value }
  }

  /// The notices of all messages.
  var notices: [JSONValue] {
    messages.flatMap { message in
      (try? JSONDocument(message.body).root["notices"]?.array).map { Array($0) } ?? []
    }
  }
}
