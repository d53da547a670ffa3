import TollbookEvents
package import TollbookLog
import TollbookUpstreams
package import TollbookViews

/// A credential as it is shown: never its secret.
package struct CredentialDescription: Sendable {
  package var id: String
  package var upstream: String
  /// Nil: it is in the settings alone, and nobody has said anything of it.
  package var row: CredentialRow?
  package var standing: CredentialStanding
  /// In what its limit and what it has used is counted.
  package var unit: String
  /// Whether calls can be sent with it in this process: its secret is there and can be opened.
  package var hasSecret: Bool
  /// Where its secret is.
  package var source: Source

  package enum Source: String, Sendable {
    case sealed, settings
    /// It is no key.
    case keyless = "none"
  }
}

extension Gateway {
  /// The upstreams that credentials can be put in for, and in what each counts.
  package var credentialUnits: [String: String] {
    let probe = CredentialLease(id: "probe", quotaGroup: "probe", secret: "probe")
    var units: [String: String] = [:]
    for purchaser in purchasers {
      if let bound = purchaser.upstream.with(probe), let unit = bound.meters.first?.key.unit {
        units[purchaser.upstream.name] = unit
      }
    }
    return units
  }

  /// Has calls sent with the credentials that the log names, as far as their secrets are there, and with no others.
  package func bindCredentials() throws(LogError) {
    let view = CredentialsView(log)
    let (rows, removed) = try log.read { (reading) throws(LogError) in
      (try view.credentials(in: reading), try view.removed(in: reading))
    }
    // A process may have ended between the event and this.
    for id in removed where keyFile.holds(id) { try? keyFile.shred(id) }
    for purchaser in purchasers {
      let leases = rows.filter {
        $0.credential.upstream == purchaser.upstream.name && $0.credential.source == .sealed
      }.sorted { $0.credential.order < $1.credential.order }
        .compactMap { id, row in
          keyFile.secret(of: id).map {
            CredentialLease(id: id, quotaGroup: row.quotaGroup, secret: $0)
          }
        }
      purchaser.members.set(leases)
    }
  }

  /// Puts a credential in. From the answer on calls are sent with it.
  package func add(_ order: CredentialOrder, actor: String) async throws {
    let wasThere = keyFile.holds(order.id)
    try keyFile.seal(order.secret, of: order.id)
    do {
      try await AddCredential(order, now: log.time.now(), actor: actor)
        .run(on: log, default: settings.account)
    } catch {
      // What was refused leaves nothing behind.
      if !wasThere { try? keyFile.shred(order.id) }
      throw error
    }
    try bindCredentials()
  }

  /// Changes what is said of a credential, also of one that is in the settings. Holds for the next decision. What is nil
  /// stays as it is.
  package func changeCredential(
    _ id: String, status: String?, limit: LimitChange?, weight: Int64?, actor: String
  ) async throws {
    var known: (upstream: String, unit: String, quotaGroup: String)?
    for purchaser in purchasers where purchaser.members.upstream(of: id) != nil {
      let meter = purchaser.upstream(of: id).meters.first?.key
      known = (purchaser.upstream.name, meter?.unit ?? "", meter?.owner ?? id)
    }
    try await ChangeCredential(
      id, status: status, limit: limit, weight: weight, now: log.time.now(), actor: actor,
      known: known
    ).run(on: log)
  }

  /// Removes a credential and shreds its secret.
  package func removeCredential(_ id: String, actor: String) async throws {
    let own = purchasers.first { $0.members.upstream(of: id) != nil }?.upstream
    try await RemoveCredential(
      id, actor: actor,
      origin: own.map { .init(setting: $0.keySetting, isSimulated: isSimulated) }
    ).run(on: log)
    try keyFile.shred(id)
    try bindCredentials()
  }

  /// The credentials that there are, those of the settings first.
  ///
  /// - Parameter account: only those that send its calls; nil: all.
  package func credentials(
    of account: String? = nil
  ) throws(LogError) -> [CredentialDescription] {
    let (books, now) = (PurchaseBooks(log), log.time.now())
    let members = purchasers.flatMap { purchaser in
      purchaser.members.all.map { (name: purchaser.upstream.name, member: $0) }
    }
    return try log.read { (reading) throws(LogError) in
      var found: [CredentialDescription] = []
      let rows = try books.credentials.credentials(in: reading)
        .sorted { $0.credential.order < $1.credential.order }
      for (name, member) in members where !rows.contains(where: { $0.id == member.id }) {
        let meters = member.upstream.meters
        found.append(
          CredentialDescription(
            id: member.id, upstream: name, row: nil,
            standing: try CredentialStanding(
              of: member.id, nil, on: meters, books, at: now, reading),
            unit: meters.first?.key.unit ?? "", hasSecret: true,
            source: member.upstream.keySetting.isEmpty ? .keyless : .settings))
      }
      for (id, row) in rows {
        let member = members.first { $0.member.id == id }?.member
        let isKeyless =
          purchasers.first { $0.upstream.name == row.upstream }?.upstream.keySetting.isEmpty
          ?? false
        found.append(
          CredentialDescription(
            id: id, upstream: row.upstream, row: row,
            standing: try CredentialStanding(
              of: id, row, on: member?.upstream.meters ?? [], books, at: now, reading),
            unit: row.unit, hasSecret: member != nil,
            source: row.source == .sealed ? .sealed : isKeyless ? .keyless : .settings))
      }
      guard let account else { return found }
      return found.filter { $0.row?.account.isEmpty ?? true || $0.row?.account == account }
    }
  }

  /// Whether an upstream that credentials can be put in for is bought from with none, though the log names some: their
  /// secrets are lost, or the master key is another one.
  package var lostCredentials: [String] {
    ((try? credentials()) ?? []).filter { !$0.hasSecret }.map(\.id)
  }
}
