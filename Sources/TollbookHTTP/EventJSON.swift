import Foundation
package import JSONText
import SwiftProtobuf
package import TollbookEvents
import TollbookLog

extension RecordedEvent {
  /// Writes the event as an object: position, time, type, data. The data has the names of the events' definition;
  /// numbers are numbers, and what has its default value is left out.
  ///
  /// - Parameter systems: what knows the summaries of its kinds.
  package func write(to json: inout JSONWriter, _ systems: [HTTPSystem]) {
    json.object { json in
      json.field("position", position)
      json.field("time", time)
      json.field("type", event.kind.name)
      json.rawField("data", data(systems))
    }
  }

  private func data(_ systems: [HTTPSystem]) -> [UInt8] {
    guard case .cacheWritten(var written) = event else { return Self.json(event.message) }
    // Digest and summary are bytes, which protobuf would write as base64 that nobody can read.
    let body = [UInt8](written.body)
    // A sealed one is for who has the key.
    let summary = written.summaryForm == .public ? [UInt8](written.summary) : []
    written.body = .init()
    written.summary = .init()
    var members = JSONWriter()
    members.object { json in
      json.field("body", body.isEmpty ? nil : body.hexadecimal)
      let kind = ResourceKey(stored: written.resource).kind
      systems.writeSummary(summary, of: kind, named: "summary", to: &json)
    }
    return Self.joined(Self.json(written), members.bytes)
  }

  private static func json(_ message: any SwiftProtobuf.Message) -> [UInt8] {
    var options = JSONEncodingOptions()
    options.preserveProtoFieldNames = true
    options.alwaysPrintInt64sAsNumbers = true
    // Fails only for well-known types that the events do not use.
    return (try? message.jsonUTF8Bytes(options: options)) ?? Array("{}".utf8)
  }

  /// Two objects as one.
  private static func joined(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
    guard first.count > 2 else { return second }
    return first.dropLast() + [UInt8(ascii: ",")] + second.dropFirst()
  }
}
