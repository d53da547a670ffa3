import JSONText
import SwiftProtobuf
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension CacheEntry {
  /// Writes the entry as an object.
  ///
  /// - Parameters:
  ///   - withSummary: whether to show the product's fields too.
  ///   - isPast: whether it is not known how often it had been read.
  func write(
    to json: inout JSONWriter, at now: Timestamp, withSummary: Bool, isPast: Bool = false
  ) {
    json.object { json in
      json.field("key", resource.description)
      json.field("kind", resource.kind)
      json.field("content_set", ContentSet(keepa: contentSet).keepaName)
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
        writeSummary(summaryForm == .public ? summary : [], named: "summary", to: &json)
      }
    }
  }
}

extension Amount {
  /// Writes `{"unit":"tokens","amount":3}`; money is in nano-units of its currency.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("unit", unit)
      json.field("amount", count)
    }
  }
}

/// Writes an encoded `ProductSummary` as a member; null if there is none.
func writeSummary(_ bytes: [UInt8], named name: String, to json: inout JSONWriter) {
  guard !bytes.isEmpty, let summary = try? ProductSummary(serializedBytes: bytes) else {
    return json.nullField(name)
  }
  json.object(name) { json in
    json.field("title", summary.hasTitle ? summary.title : nil)
    json.field("brand", summary.hasBrand ? summary.brand : nil)
    json.field("manufacturer", summary.hasManufacturer ? summary.manufacturer : nil)
    json.field("root_category", summary.hasRootCategory ? summary.rootCategory : nil)
    json.field("root_category_name", summary.hasRootCategoryName ? summary.rootCategoryName : nil)
    json.field("image", summary.hasImage ? summary.image : nil)
    summary.writeFigures(to: &json)
  }
}
