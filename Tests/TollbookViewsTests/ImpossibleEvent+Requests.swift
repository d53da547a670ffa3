import Foundation
import TollbookEvents

extension ImpossibleEvent {
  private static let underWay = Data(repeating: 1, count: 32)
  private static let answered = Data(repeating: 2, count: 32)
  private static let unknown = Data(repeating: 3, count: 32)

  /// A request that is under way and one that was answered.
  static let requestsBefore: [Event] = [
    .requestBegun(make { ($0.key, $0.request) = (underWay, unknown) }),
    .requestBegun(make { ($0.key, $0.request) = (answered, unknown) }),
    .requestAnswered(make { ($0.key, $0.status) = (answered, 200) }),
  ]

  static let requests = [
    ImpossibleEvent("a request without a key", .requestBegun(make { $0.request = unknown })),
    .init(
      "a request whose digest is none",
      .requestBegun(make { ($0.key, $0.request) = (unknown, Data([1])) })),
    .init("an answer to no request", .requestAnswered(make { $0.key = unknown })),
    .init("an answer without a key", .requestAnswered(RequestAnswered())),
    .init("a second answer", .requestAnswered(make { $0.key = answered })),
    .init(
      "an answer whose digest is none",
      .requestAnswered(make { ($0.key, $0.body) = (underWay, Data([1])) })),
    .init(
      "forgetting one that is there and one that is not",
      .requestsForgotten(make { $0.keys = [underWay, unknown] })),
    .init("forgetting a key that is none", .requestsForgotten(make { $0.keys = [Data()] })),
  ]
}

extension RequestBegun: EmptyMessage {}
extension RequestAnswered: EmptyMessage {}
extension RequestsForgotten: EmptyMessage {}
