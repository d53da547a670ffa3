/// What Amazon keeps of one sale, in the currency's minor unit. What cannot be told is nil.
package struct FeeBreakdown: Hashable, Sendable {
  /// Amazon's share of the price.
  package let referral: Int64?
  /// Picking, packing and shipping by Amazon.
  package let fulfilment: Int64?
  /// What comes on top of fulfilment; 0 if fulfilment already has it in it.
  package let surcharge: Int64?
  /// The fixed fee on media.
  package let closing: Int64

  package init(referral: Int64?, fulfilment: Int64?, surcharge: Int64?, closing: Int64) {
    self.referral = referral
    self.fulfilment = fulfilment
    self.surcharge = surcharge
    self.closing = closing
  }

  /// All of them together; nil if one of them is.
  package var total: Int64? {
    guard let referral, let fulfilment, let surcharge else { return nil }
    return referral + fulfilment + surcharge + closing
  }
}
