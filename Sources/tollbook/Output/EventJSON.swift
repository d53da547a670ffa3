import Foundation
import JSONText
import SwiftProtobuf
import TollbookEvents
import TollbookLog

extension RecordedEvent {
  /// The event as one line of JSON: position, time, type, data.
  var json: String {
    var json = JSONWriter()
    json.object { json in
      json.field("position", position)
      json.field("time", time.description)
      json.field("type", event.kind.name)
      json.rawField("data", Self.data(event))
    }
    return json.string
  }

  private static func data(_ event: Event) -> [UInt8] {
    guard case .cacheWritten(var written) = event else { return members(event.message) }
    // Digest and summary are bytes, which protobuf would write as base64 that nobody can read.
    let body = [UInt8](written.body)
    let summary = ProductSummary(bytes: [UInt8](written.summary))
    written.body = .init()
    written.summary = .init()
    var rest = JSONWriter()
    rest.object { json in
      json.field("body", body.isEmpty ? nil : body.hexadecimal)
      json.rawField("summary", members(summary))
    }
    let first = members(written)
    guard first.count > 2 else { return rest.bytes }
    return first.dropLast() + [UInt8(ascii: ",")] + rest.bytes.dropFirst()
  }

  private static func members(_ message: any SwiftProtobuf.Message) -> [UInt8] {
    var options = JSONEncodingOptions()
    options.preserveProtoFieldNames = true
    options.alwaysPrintInt64sAsNumbers = true
    // Fails only for well-known types that the events do not use.
    return (try? message.jsonUTF8Bytes(options: options)) ?? Array("{}".utf8)
  }
}
