import Credentials
import OAuth
import Secrets
import SessionFakes
import Testing

@testable import Login
@testable import Sessions

/// What a process of a run does.
enum ProcessKind: String, CaseIterable {
  /// `get` for a token that lives another minute.
  case get
  /// `get` after the server has rejected the token that the session had at the start.
  case retry
  /// `refresh`, as a person types it.
  case refresh
  /// The exchange of a code, by the client that is registered.
  case login
  /// The exchange of a code, by a new client.
  case loginAnew
  case logout
  /// `store` of a password for alice.
  case store
  /// `erase` of the token that the session had at the start.
  case erase
  /// `erase` of whatever alice has.
  case eraseAll

  /// Whether it is meant to end the session.
  var ends: Bool { self == .logout || self == .eraseAll }

  /// Whether it only refreshes.
  var refreshes: Bool { [.get, .retry, .refresh].contains(self) }

  /// Does it.
  func run(in run: Run, as process: ExploredProcess) -> ExploredProcess.Outcome {
    let seams = ExploredSeams(run: run, process: process)
    do {
      switch self {
      case .get, .retry: return try get(seams)
      case .refresh:
        guard let session = try seams.sessions(of: deployment, account: "alice").first,
          session.method == .oauth
        else { return .done }
        return .output(
          try SessionRefresh(services: seams.services).refresh(session, because: .command))
      case .login, .loginAnew:
        seams.lockLogins()
        defer { seams.unlockLogins() }
        return .output(try exchange(seams.services, isNew: self == .loginAnew))
      case .logout:
        let sessions = try seams.entries(of: deployment)
        let revocation = SessionRevocation(
          services: seams.services, deployment: deployment, keepsRegistration: false,
          revokesForeignTokens: false)
        var unrevoked: [UnrevokedItem] = []
        for entry in sessions {
          guard case .session(let session) = entry.content else { continue }
          unrevoked += try revocation.end(session)
        }
        unrevoked += try revocation.endLeftOverRegistration()
        return unrevoked.isEmpty ? .done : .failed(SessionError.noRuntimeDirectory)
      case .store:
        try seams.update.store(Self.request(password: "typed"))
      case .erase:
        try seams.update.erase(Self.request(password: run.scenario.firstToken))
      case .eraseAll: try seams.update.erase(Self.request(password: nil))
      }
      return .done
    } catch {
      return .failed(error)
    }
  }

  private func get(_ seams: ExploredSeams) throws -> ExploredProcess.Outcome {
    let request = CredentialRequest(deployment: deployment, username: "alice")
    guard let session = try SessionLookup(store: seams, clock: seams).session(for: request) else {
      return .done
    }
    let refresh = SessionRefresh(services: seams.services)
    if self == .retry, session.accessToken.bare == seams.run.scenario.firstToken {
      return .output(try refresh.refreshRejected(session))
    }
    return .output(
      try refresh.validSession(session, minimumSeconds: 60, mayRefresh: true))
  }

  private static func request(password: String?) throws -> CredentialRequest {
    let lines = ["protocol=https", "host=\(deployment.authority)", "username=alice"]
    let secret = password.map { ["password=\($0)"] } ?? []
    return try CredentialRequest(parsing: Array((lines + secret).joined(separator: "\n").utf8))
  }
}

extension ExploredSeams {
  fileprivate var update: CredentialUpdate {
    CredentialUpdate(
      store: self, lock: services.lock, clock: self, random: { UInt64(process.index) })
  }
}

/// How the session is when a run begins.
enum StartState: String, CaseIterable {
  /// The token has 50 minutes to live.
  case fresh
  /// It has half a minute.
  case due
  /// It has expired.
  case expired
  /// A caller has said that it is rejected; the server thinks otherwise.
  case rejected
  /// A refresh was begun long ago, and never sent.
  case interrupted
  /// A refresh was begun long ago, and its response was lost.
  case spent
}

/// What the lock excludes.
enum LockScope: String {
  /// Everybody on the bus, by a name on it.
  case ofBus
  /// Everybody by a lease in the keyring, since the bus refuses the name.
  case leases
  /// The same, for every other process: the others own names.
  case mixed
  /// Only those with the same runtime directory, although it says that it excludes everybody: the
  /// lock as it was once.
  case ofDirectoryAlone

  /// Whether the bus lets processes of a lock domain own names.
  func letsOwnNames(_ domain: Int) -> Bool {
    switch self {
    case .ofBus: true
    case .mixed: domain == 0
    case .leases, .ofDirectoryAlone: false
    }
  }
}

/// What is run: the processes, and the world that they begin in.
struct Scenario {
  var processes: [ProcessKind]
  var start: StartState
  var era = FakeDeployment.Era.c
  var endsReusedFamilies = true
  /// What may go wrong, as bits.
  var faults = UInt16.max
  /// Whether every other process has a runtime directory of its own.
  var hasTwoLockDomains = false
  var lock = LockScope.ofBus
  /// Whether processes see each other's marks of a refresh that is under way, as they must.
  var showsMarks = true

  /// What the session's access token is called at the start, and its refresh token.
  var firstToken: String { "a1" }

  /// The world at the start: alice is signed in, and has allowed whoever signs in.
  func world() -> World {
    var server = FakeDeployment(era: era, endsReusedFamilies: endsReusedFamilies)
    server.clients = ["c1", "c2"]
    server.codes = ["k1": "c1", "k2": "c2"]
    let grant = server.grant("c1", at: 1_000_000 - age)
    if start == .spent { _ = server.grant("c1", refreshing: grant, at: 1_000_000 - age) }
    var world = World(server: server)
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: Secret(grant.access))
    session.refreshToken = Secret(grant.refresh)
    session.clientID = "c1"
    session.signedInAt = world.time - 86_400
    session.issuedAt = world.time - age
    session.expiresAt = grant.accessDies
    if start == .rejected { session.staleSince = world.time - 5 }
    if start == .interrupted || start == .spent { session.refreshingSince = world.time - 500 }
    world.keyring.save(session)
    world.keyring.save(Self.registration("c1"))
    return world
  }

  private var age: Int64 {
    switch start {
    case .fresh, .rejected, .interrupted, .spent: 600
    case .due: 3_570
    case .expired: 4_000
    }
  }

  /// A confidential client that this machine registered.
  static func registration(_ id: String) -> StoredRegistration {
    StoredRegistration(
      deployment: deployment,
      information: ClientRegistration(
        clientID: id, clientSecret: Secret("s-\(id)"), registrationAccessToken: Secret("rat-\(id)"),
        registrationClientURI: "\(deployment.url)/oauth2/clients/\(id)",
        redirectURIs: ["coder-cred://oauth/callback"], tokenEndpointAuthMethod: .clientSecretPost),
      issuer: deployment.url, tokenEndpoint: "\(deployment.url)/oauth2/tokens",
      revocationEndpoint: "\(deployment.url)/oauth2/revoke")
  }
}

extension Scenario: CustomStringConvertible {
  var description: String {
    let names = processes.map(\.rawValue).joined(separator: " + ")
    let reuse = endsReusedFamilies ? ", reuse ends the family" : ""
    let domains = hasTwoLockDomains ? ", two lock domains, lock \(lock)" : ""
    return "\(names), \(start), era \(era)\(reuse)\(domains)"
  }
}

/// A sign-in whose person has already answered.
private struct SilentPrompt: LoginPrompt {
  var canAsk: Bool { false }
  var hasBrowser: Bool { false }
  func tell(_ event: LoginEvent) {}
  func chooseMethod(
    _ methods: [LoginOptions.Method]
  ) throws(LoginError) -> LoginOptions.Method { throw unforeseen() }
  func askForToken(of deployment: Deployment, isRepeated: Bool) throws(LoginError) -> Secret? {
    throw unforeseen()
  }
  func saysWhileWaiting() -> WaitingChoice? { nil }
  func askForClientSecret(isKnown: Bool) throws(LoginError) -> Secret { throw unforeseen() }
  func keeps(account: String, beside former: [String], isInterrupted: () -> Bool) -> Bool {
    _ = unforeseen()
    return false
  }
  func show(_ page: AuthorizationPage) throws(LoginError) -> [any LoginEventSource] {
    throw unforeseen()
  }
  func show(_ page: DevicePage) throws(LoginError) -> [any LoginEventSource] { throw unforeseen() }
  func stopWaiting(_ sources: [any LoginEventSource]) { _ = unforeseen() }

  private func unforeseen() -> LoginError {
    Issue.record("an exchange asks nobody")
    return .unusableInput(reason: "unforeseen")
  }
}

/// Exchanges the code of the client that is registered, or of a new one.
private func exchange(
  _ services: SessionServices, isNew: Bool
) throws(LoginError) -> StoredSession {
  let known = Scenario.registration("c1")
  let flow = LoginFlow(
    services: services, prompt: SilentPrompt(), deployment: deployment, options: LoginOptions(),
    directory: RuntimeDirectory(parents: []), clientName: "explorer")
  return try CodeExchange(
    flow: flow,
    policy: try flow.asking { () throws(OAuthError) in try services.policy(deployment) },
    http: services.client(deployment, .canTakeItsTime),
    setup: RegistrationSetup.Outcome(
      registration: isNew ? Scenario.registration("c2") : known, isStored: !isNew),
    former: known, verifier: Explorer.verifier, redirectURI: "coder-cred://oauth/callback"
  ).run(isNew ? "k2" : "k1")
}
