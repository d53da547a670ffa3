package import TollbookLog

/// Every projection, in the order in which the log applies them.
package let allFolds: [Fold] = [
  CacheFold.fold, LedgerFold.fold, MetricsFold.fold, RollupFold.fold, JobsFold.fold,
  AccountsFold.fold, AlertsFold.fold, CredentialsFold.fold, RequestsFold.fold,
]
