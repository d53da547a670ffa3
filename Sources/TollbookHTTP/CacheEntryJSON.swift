import JSONText
import TollbookArchive
package import TollbookEvents
import TollbookLog
package import TollbookViews

extension CacheEntry {
  /// Writes the entry as an object.
  ///
  /// - Parameters:
  ///   - systems: what knows its kind.
  ///   - withSummary: whether to show what is known of it too.
  ///   - isPast: whether it is not known how often it had been read.
  func write(
    to json: inout JSONWriter, _ systems: [HTTPSystem], at now: Timestamp, withSummary: Bool,
    isPast: Bool = false
  ) {
    json.object { json in
      json.field("key", resource.description)
      json.field("kind", resource.kind)
      json.field("content_set", systems.parts(contentSet, of: resource.kind))
      json.field("state", state(at: now).rawValue)
      json.field("purged", isPurged)
      json.field("present", isPresent)
      json.field("written", written)
      json.field("fetched_at", fetched)
      json.field("expires_at", freshUntil)
      json.field("grace_until", graceUntil)
      json.field("error_grace_until", errorGraceUntil)
      json.field("keep_until", keepUntil)
      json.field("upstream_updated_at", upstreamUpdated)
      json.field("age_seconds", ageSeconds(at: now))
      json.array("costs", amounts) { json, amount in amount.write(to: &json) }
      json.field("hit_count", isPast ? nil : hits)
      json.field("last_read_at", lastRead)
      json.field("body_bytes", bodyBytes)
      json.field("body", digest.isEmpty ? nil : digest.hexadecimal)
      if withSummary {
        systems.writeSummary(
          summaryForm == .public ? summary : [], of: resource.kind, named: "summary", to: &json)
      }
    }
  }
}

extension CacheEntry {
  /// Whole seconds since it was fetched; nil: by a clock that was ahead, so that nobody knows.
  package func ageSeconds(at now: Timestamp) -> Int64? {
    fetched <= now ? (now.milliseconds - fetched.milliseconds) / 1_000 : nil
  }
}
