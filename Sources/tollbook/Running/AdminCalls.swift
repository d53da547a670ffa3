import AsyncHTTPClient
import Files
import Crypto
import Foundation
import JSONText
import Logging
import NIOHTTP1
import ServiceLifecycle
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

/// What administers a data directory from the command line: asks its owner, and where nobody owns it owns it for as long
/// as that takes. Either way the same routes answer.
struct AdminCalls {
  let settings: Settings

  /// One call.
  ///
  /// - Throws: `Refused` with the sentence that says why not.
  @discardableResult
  func ask(
    _ method: HTTPMethod, _ path: String, body: (@Sendable (inout JSONWriter) -> Void)? = nil
  ) async throws -> JSONDocument {
    SystemCalls.forbidDumps()
    let folder = settings.dataDirectory
    if try DataDirectory.mode(of: folder) != nil,
      let answer = try await Owner.ask(directory: folder, method: method, path: path, body: body)
    {
      return answer
    }
    let directory = try DataDirectory.own(
      folder, mode: try DataDirectory.mode(of: folder) ?? settings.mode)
    let log = try EventLog(
      directory, folds: allFolds, time: .system, options: settings.log, fail: endProcess)
    defer { log.close() }
    return try await withService(of: log) {
      guard
        let answer = try await Owner.ask(
          directory: folder, method: method, path: path, body: body)
      else { throw Refused("\(folder) cannot be asked.") }
      return answer
    }
  }

  /// Answers on the control socket of a log while something is asked.
  private func withService<Answer: Sendable>(
    of log: EventLog, _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let master = try settings.masterKey()
    // Nothing is bought: what they say of themselves is enough.
    let systems = try Systems.all.map { try $0.open(settings, nil) }
    let answer = await Result { try await withService(of: log, systems, master, body) }
    for system in systems { await system.close() }
    return try answer.get()
  }

  private func withService<Answer: Sendable>(
    of log: EventLog, _ systems: [System.Opened], _ master: SymmetricKey?,
    _ body: @escaping @Sendable () async throws -> Answer
  ) async throws -> Answer {
    let gateway = Gateway(
      log: log, upstreams: systems.map(\.upstream), settings: settings.gateway,
      random: Chance.fraction, master: master)
    try gateway.bindCredentials()
    var logger = Logger(label: "tollbook")
    logger.logLevel = .error
    let socket = try ControlSocket(of: log.directory)
    defer { try? FileManager.default.removeItem(atPath: socket.path) }
    let (isReady, ready) = AsyncStream.makeStream(of: Void.self)
    let application = TollbookApplication(
      gateway: gateway, settings: settings.http, systems: Systems.http, logger: logger
    ).controlApplication(socket: socket.path) { _ in ready.finish() }
    let group = ServiceGroup(
      services: [application], logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() })
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      for await _ in isReady {}
      let answer = await Result { try await body() }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
      return try answer.get()
    }
  }
}

extension Result where Failure == any Error {
  /// What an asynchronous piece of work gives.
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

/// A text as one step of a path.
func pathStep(_ text: String) -> String {
  text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
}
