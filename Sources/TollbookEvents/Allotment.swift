/// Divides a whole amount over weights, in integers: each gets its exact share rounded down, and what is left goes one
/// by one to the largest remainders, the earlier first among equals. The shares sum to `amount`.
///
/// Without any weight the amount is divided evenly. A negative amount or weight is a programmer's error.
package func allot(_ amount: Int64, over weights: [Int64]) -> [Int64] {
  precondition(amount >= 0 && weights.allSatisfy { $0 >= 0 }, "amounts and weights are counts")
  guard !weights.isEmpty else { return [] }
  // The sum of the weights, and an amount times a weight, may exceed 64 bits; a share does not.
  var weights = weights.map { Int128($0) }
  var total = weights.reduce(0, +)
  if total == 0 {
    weights = weights.map { _ in 1 }
    total = Int128(weights.count)
  }
  let exact = weights.map { (Int128(amount) * $0).quotientAndRemainder(dividingBy: total) }
  var shares = exact.map { Int64($0.quotient) }
  let left = Int(amount - shares.reduce(0, +))
  let byRemainder = exact.indices.sorted {
    (exact[$1].remainder, $0) < (exact[$0].remainder, $1)
  }
  for index in byRemainder.prefix(left) { shares[index] += 1 }
  return shares
}
