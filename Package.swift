// swift-tools-version: 6.3
import PackageDescription

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let x509 = Target.Dependency.product(name: "X509", package: "swift-certificates")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let algorithms = Target.Dependency.product(name: "Algorithms", package: "swift-algorithms")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")

let package = Package(
  name: "tollbook",
  products: [.executable(name: "tollbook", targets: ["tollbook"])],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(
      url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["JSON"]),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
    .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.1"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CCRC32C"),
    .target(name: "CProcess"),
    .target(name: "Bytes", dependencies: ["CCRC32C"]),
    .target(name: "Files", dependencies: ["CProcess"]),
    .target(name: "LMDB", dependencies: ["CLMDB", "Bytes", "Files"]),
    .target(name: "Deflate", dependencies: ["CZlib"]),
    .target(name: "JSONText"),
    .target(name: "TollbookEvents", dependencies: [protobuf], exclude: ["Protos"]),
    .target(
      name: "TollbookLog",
      dependencies: [
        "Bytes", "Files", "LMDB", "Deflate", "TollbookEvents", crypto, logging, lifecycle,
        algorithms,
      ]),
    .target(
      name: "TollbookViews",
      dependencies: ["Bytes", "LMDB", "TollbookEvents", "TollbookLog", protobuf]),
    .target(
      name: "TollbookUpstreams",
      dependencies: [
        "Deflate", "JSONText", "TollbookEvents", nioCore,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    .target(
      name: "TollbookGateway",
      dependencies: [
        "Bytes", "Files", "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams",
        logging, lifecycle, crypto, algorithms, collections,
      ]),
    .target(
      name: "TollbookArchive",
      dependencies: [
        "Bytes", "Files", "LMDB", "Deflate", "JSONText", "TollbookEvents", "TollbookLog",
        "TollbookViews", crypto, protobuf,
      ]),
    .target(
      name: "TollbookAudit",
      dependencies: [
        "Bytes", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookArchive",
        crypto,
      ]),
    .target(
      name: "TollbookProofs",
      dependencies: [
        "Bytes", "Files", "JSONText", "TollbookEvents", "TollbookLog", "TollbookArchive", crypto,
      ]),
    .target(
      name: "TollbookForecast",
      dependencies: [
        "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookGateway",
        "TollbookArchive",
      ]),
    .target(
      name: "TollbookHTTP",
      dependencies: [
        "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams", "TollbookGateway", "TollbookArchive", "TollbookAudit",
        "TollbookProofs", "TollbookForecast", hummingbird, httpTypes, nioCore, logging, protobuf,
        collections, nioSSL, crypto,
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      ]),
    .target(
      name: "Keepa",
      dependencies: [
        "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams", "TollbookGateway", "TollbookForecast", "TollbookHTTP", hummingbird,
        httpTypes, protobuf, algorithms, collections, crypto, logging,
      ],
      resources: [
        .embedInCode("Scoring/AmazonFees.json"),
        .embedInCode("Discovery/DiscoverAnswer.schema.json"),
        .embedInCode("Discovery/DiscoverWithScoringAnswer.schema.json"),
      ]),
    .target(
      name: "Extraction",
      dependencies: [
        "Bytes", "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams", "TollbookGateway", "TollbookArchive", "TollbookForecast",
        "TollbookHTTP", hummingbird, httpTypes, nioCore, crypto,
      ],
      resources: [
        .embedInCode("Gemini/GeminiModels.json"),
        .embedInCode("Invoices/ExtractAnswer.schema.json"),
      ]),
    .target(
      name: "Market",
      dependencies: [
        "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookForecast", "TollbookHTTP", hummingbird, httpTypes,
      ],
      resources: [.embedInCode("Binance/BinanceWeights.json")]),
    .target(
      name: "DealScout",
      dependencies: [
        "Files", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookAudit", "TollbookHTTP", "Extraction", hummingbird, httpTypes,
        nioCore, crypto,
      ]),
    .target(
      name: "TollbookSimulators",
      dependencies: ["Deflate", "JSONText", hummingbird, nioCore, logging, lifecycle, algorithms]),
    .executableTarget(
      name: "tollbook",
      dependencies: [
        "Files", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookArchive", "TollbookAudit", "TollbookProofs",
        "TollbookForecast", "TollbookHTTP", "Keepa", "Market", "Extraction", "DealScout",
        "TollbookSimulators", "JSONText", hummingbird, logging, lifecycle, crypto, x509, asn1,
        nioCore, nioSSL, grdb,
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "tollbook-bench",
      dependencies: [
        "Bytes", "LMDB", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookArchive", "TollbookAudit", "TollbookForecast", "TollbookHTTP",
        "Keepa", "Market", "DealScout", "TollbookTestSupport", "MarketTestSupport",
        "TollbookSimulators", "JSONText", hummingbird, httpTypes, nioCore, logging, crypto,
        algorithms,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "tools/benchmarks"),
    .target(
      name: "TollbookTestSupport",
      dependencies: [
        "Bytes", "LMDB", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookArchive", "Keepa", "TollbookSimulators", logging, algorithms,
      ],
      path: "Tests/TollbookTestSupport"),
    .target(
      name: "MarketTestSupport",
      dependencies: [
        "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams", "TollbookGateway",
        "TollbookHTTP", "Market", "TollbookSimulators", "TollbookTestSupport", hummingbird,
        httpTypes, nioCore, logging, algorithms,
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      path: "Tests/MarketTestSupport"),
    .testTarget(name: "BytesTests", dependencies: ["Bytes"]),
    .testTarget(name: "LMDBTests", dependencies: ["Bytes", "LMDB"]),
    .testTarget(name: "DeflateTests", dependencies: ["Deflate"]),
    .testTarget(name: "JSONTextTests", dependencies: ["JSONText"]),
    .testTarget(name: "TollbookEventsTests", dependencies: ["TollbookEvents", protobuf]),
    .testTarget(
      name: "TollbookLogTests",
      dependencies: [
        "Bytes", "LMDB", "Deflate", "TollbookEvents", "TollbookLog", "TollbookTestSupport", crypto,
      ]),
    .testTarget(
      name: "TollbookViewsTests",
      dependencies: [
        "Bytes", "LMDB", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookTestSupport",
      ]),
    .testTarget(
      name: "KeepaTests",
      dependencies: [
        "Deflate", "JSONText", "TollbookEvents", "TollbookUpstreams", "Keepa", hummingbird, nioCore,
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ]),
    .testTarget(
      name: "TollbookGatewayTests",
      dependencies: [
        "LMDB", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "Keepa", "TollbookSimulators", "TollbookTestSupport",
      ]),
    .testTarget(
      name: "TollbookArchiveTests",
      dependencies: [
        "Bytes", "LMDB", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookArchive",
        "TollbookTestSupport", crypto, protobuf,
      ]),
    .testTarget(
      name: "TollbookAuditTests",
      dependencies: [
        "Bytes", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookArchive", "TollbookAudit", "Keepa", "TollbookTestSupport",
        protobuf,
      ]),
    .testTarget(
      name: "TollbookProofsTests",
      dependencies: [
        "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookArchive",
        "TollbookProofs", "Keepa", "TollbookTestSupport", crypto,
      ]),
    .testTarget(
      name: "TollbookForecastTests",
      dependencies: [
        "TollbookEvents", "TollbookLog", "TollbookUpstreams", "TollbookGateway",
        "TollbookArchive", "TollbookForecast", "Keepa", "TollbookSimulators",
        "TollbookTestSupport",
      ]),
    .testTarget(
      name: "TollbookHTTPTests",
      dependencies: [
        "Bytes", "LMDB", "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams", "TollbookGateway", "TollbookArchive", "TollbookAudit",
        "TollbookProofs", "TollbookHTTP", "Keepa", "TollbookSimulators", "TollbookTestSupport",
        hummingbird, nioCore, nioSSL,
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    .testTarget(
      name: "TollbookSimulatorsTests",
      dependencies: ["JSONText", "Deflate", "TollbookSimulators", hummingbird, nioCore]),
    .testTarget(
      name: "MarketTests",
      dependencies: [
        "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookArchive", "TollbookForecast", "TollbookHTTP", "Market",
        "TollbookSimulators", "TollbookTestSupport", "MarketTestSupport", hummingbird, httpTypes,
        nioCore, logging,
        .product(name: "HummingbirdTesting", package: "hummingbird"),
      ]),
    .testTarget(
      name: "ExtractionTests",
      dependencies: [
        "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams", "TollbookGateway", "TollbookArchive", "TollbookHTTP", "Extraction",
        "TollbookSimulators", "TollbookTestSupport", hummingbird, httpTypes, nioCore, crypto,
        logging,
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ]),
    .testTarget(
      name: "DealScoutTests",
      dependencies: [
        "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews", "TollbookUpstreams",
        "TollbookGateway", "TollbookHTTP", "Extraction", "DealScout", "TollbookSimulators",
        "TollbookTestSupport", hummingbird, httpTypes, nioCore, crypto, logging,
        .product(name: "HummingbirdTesting", package: "hummingbird"),
      ]),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "tollbook", "Deflate", "JSONText", "TollbookEvents", "TollbookLog", "TollbookViews",
        "TollbookUpstreams", "TollbookGateway", "TollbookArchive", "TollbookProofs",
        "TollbookHTTP", "Keepa", "Market", "TollbookSimulators", "TollbookTestSupport",
        hummingbird, httpTypes, nioCore, x509, asn1, crypto, logging, grdb,
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ]),
    .testTarget(name: "TidyTests"),
  ]
)

/// Rules for every Swift target. One loop, so that no target can forget them.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
  var settings = target.swiftSettings ?? []
  settings += [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
    .treatWarning("DeprecatedDeclaration", as: .warning),
  ]
  // The code that protoc generates keeps large messages behind a pointer and does not say `unsafe`.
  let isGenerated = target.name == "TollbookEvents"
  if target.type != .test && !isGenerated { settings.append(.strictMemorySafety()) }
  target.swiftSettings = settings
}
