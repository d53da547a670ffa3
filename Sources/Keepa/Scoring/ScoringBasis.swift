import Crypto
import TollbookLog
import TollbookUpstreams

/// What scores are made from beside products and their costs: the tables of fees, and the settings of the score.
package struct ScoringBasis: Sendable {
  package let tables: FeeTables
  package let configuration: ScoringConfiguration
  /// Tells the scores of one basis from those of another: other fees or other settings have another version.
  package let version: String

  /// - Parameter fees: a file of fees in the form of `AmazonFees.json`; nil: the one that the program is built with.
  /// - Throws: the first member of it that is wrong, and what is wrong with it.
  package init(
    fees json: [UInt8]? = nil, configuration: ScoringConfiguration = ScoringConfiguration()
  ) throws(FeeTableError) {
    let json = json ?? FeeTables.builtInJSON
    tables = try FeeTables(json: json)
    self.configuration = configuration
    var digest = SHA256()
    digest.update(data: Array(configuration.version.utf8))
    digest.update(data: json)
    version = digest.finalize().prefix(8).map(\.self).hexadecimal
  }
}
