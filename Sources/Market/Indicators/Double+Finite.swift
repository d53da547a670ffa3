extension Double {
  /// The number, or nil if it is infinite or none at all. What indicators answer has gone through here.
  var ifFinite: Double? { isFinite ? self : nil }
}
