import ArgumentParser

@main
struct TollbookBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tollbook-bench",
    abstract: "Measures Tollbook. tools/bench runs all of it and prints the machine beside.",
    subcommands: [
      LogBench.self, BareRoute.self, FillLog.self, WhatIfBench.self, AuditBench.self,
      SnapshotBench.self, VerifyBench.self, ViewsBench.self, TraceBench.self, JoinBench.self,
      AccountsBench.self, FillAccounts.self, BooksBench.self, EvictionBench.self,
      ReadsBench.self, MarketTraceBench.self, DealsBench.self, ServeDeals.self,
    ])
}
