package import TollbookGateway

/// The kind of resources whose windows are tried, and what the replay has to know of its prices.
package struct WhatIfKind: Sendable {
  /// Such as `atlas.place`.
  package let name: String
  /// What the names of the upstream's operations and kinds begin with, such as `atlas.`: calls of others are not played.
  package let system: String
  /// The bucket from which its calls are paid.
  package let bucket: RefillBucket
  /// The most that a resource with some parts may cost.
  package let bound: @Sendable (_ parts: UInt64) -> Int64
  /// The least that it costs, whether the upstream has it or not.
  package let least: @Sendable (_ parts: UInt64, _ isPresent: Bool) -> Int64

  package init(
    _ name: String, system: String, bucket: RefillBucket,
    bound: @escaping @Sendable (_ parts: UInt64) -> Int64,
    least: @escaping @Sendable (_ parts: UInt64, _ isPresent: Bool) -> Int64
  ) {
    self.name = name
    self.system = system
    self.bucket = bucket
    self.bound = bound
    self.least = least
  }
}
