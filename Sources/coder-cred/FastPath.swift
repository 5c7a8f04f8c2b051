import Credentials
import Glibc
import MinimalDBus
import Secrets

/// Answers for a session that is stored, unlocked and fresh, and passes over what changes nothing.
struct FastPath {
  /// What was read of standard input.
  private(set) var input: [UInt8]?

  /// What the full program would write to standard output; it would end with 0.
  ///
  /// - Throws: when the full program is needed.
  mutating func output(for arguments: [String]) throws(NeedsEngine) -> Secret {
    let arguments = try FastPathArguments(arguments)
    guard variable("CODER_CRED_ENGINE") == nil, variable("CODER_CRED_TRACE") != "1" else {
      throw NeedsEngine()
    }
    switch arguments.operation {
    case .answer(let format): return try answer(arguments, format)
    case .store: try expectKept(readRequest(arguments))
    case .erase: try expectUnknown(readRequest(arguments))
    case .capability: return Secret(Credential.capabilities)
    }
    return ""
  }

  private mutating func answer(
    _ arguments: FastPathArguments, _ format: Credential.Format
  ) throws(NeedsEngine) -> Secret {
    let settings = try settings()
    var format = format
    var request: CredentialRequest?
    if arguments.readsRequest {
      var read = try readRequest(arguments)
      guard read.refused == nil else { throw NeedsEngine() }
      if case .git = format { format = read.gitFormat } else { read.takesAnyForm() }
      request = read
    } else {
      let named = try deferringToEngine { () throws(MalformedInput) in
        try DeploymentChoice.named(
          arguments.url, setting: settings.text("default-deployment", for: nil),
          variable: variable)
      }
      request = named.map { CredentialRequest(deployment: $0, username: arguments.account) }
    }
    let active = request.flatMap { settings.text("account", for: $0.deployment) }
    let preferred = request.flatMap { $0.username ?? active }
    let searches = ItemIdentity.searches(
      for: request?.deployment.withParents, preferring: preferred)
    guard request?.deployment.isConfidential ?? true,
      let session = try onlySession(in: searches, preferringFirst: preferred != nil),
      session.deployment.isConfidential,
      session.isForDeployment || request != nil && (request?.username != nil || active == nil)
    else { throw NeedsEngine() }
    let margin =
      settings.text("refresh-margin", for: session.deployment)
      .map { StoredSession.margin($0) } ?? StoredSession.usualMargin
    let meant = request ?? .init(deployment: session.deployment, username: arguments.account)
    guard let margin, meant.isServed(by: session),
      format.takesAsKept(session)
        || session.isFresh(
          now: Int64(time(nil)), minimumSeconds: arguments.minimumSeconds ?? margin)
    else { throw NeedsEngine() }
    return try deferringToEngine { () throws(MalformedInput) in
      try Credential(session, to: meant.username).written(as: format)
    }
  }

  /// Expects that `store` has nothing to write: there is nothing to keep, or it is what is kept.
  private func expectKept(_ request: CredentialRequest) throws(NeedsEngine) {
    guard let told = request.session(now: Int64(time(nil))) else { return }
    let search = ItemIdentity.session(of: request.place)
    guard let session = try onlySession(in: [search]), request.isServed(by: session),
      request.isKept(told, in: session)
    else { throw NeedsEngine() }
  }

  /// Expects that `erase` has nothing to touch: the rejected secret is not one that we hold.
  private func expectUnknown(_ request: CredentialRequest) throws(NeedsEngine) {
    guard request.tellsSecret else { throw NeedsEngine() }
    let session = try onlySession(in: ItemIdentity.searches(erasing: request))
    if session.map({ request.tellsSecret(of: $0) }) ?? false { throw NeedsEngine() }
  }

  private mutating func readRequest(
    _ arguments: FastPathArguments
  ) throws(NeedsEngine) -> CredentialRequest {
    guard isatty(STDIN_FILENO) == 0, let bytes = CredentialRequest.read(from: STDIN_FILENO) else {
      throw NeedsEngine()
    }
    input = bytes
    var request = try deferringToEngine { () throws(MalformedInput) in
      try CredentialRequest(parsing: bytes)
    }
    request.username = request.username ?? arguments.account
    guard request.isPlainlyNamed else { throw NeedsEngine() }
    return request
  }

  private func settings() throws(NeedsEngine) -> PlainSettings {
    let bytes = try deferringToEngine { () throws(MalformedInput) in
      try SettingsLocation.path(variable: variable).flatMap { path throws(MalformedInput) in
        try SettingsLocation.contents(of: path)
      }
    }
    guard let settings = PlainSettings(bytes ?? []) else { throw NeedsEngine() }
    return settings
  }

  /// The one session that these searches find, or that of the first one; nil when there is none.
  private func onlySession(
    in searches: [[String: String]], preferringFirst: Bool = false
  ) throws(NeedsEngine) -> StoredSession? {
    let found = try deferringToEngine { () throws(BusError) in
      try KeyringItem.only(of: searches, preferringFirst: preferringFirst)
    }
    guard let item = found else { return nil }
    let url = item.attributes["deployment"] ?? ""
    return try deferringToEngine { () throws(MalformedInput) in
      try StoredSession(
        payload: item.secret, deployment: try Deployment(storedURL: url),
        account: item.attributes["account"] ?? "")
    }
  }
}

/// What goes wrong, the full program finds out for itself, and explains.
func deferringToEngine<Value, Reason: Error>(_ body: () throws(Reason) -> Value) throws(NeedsEngine)
  -> Value
{
  do throws(Reason) { return try body() } catch { throw NeedsEngine() }
}

/// An environment variable's value; nil when it is unset or empty.
func variable(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
