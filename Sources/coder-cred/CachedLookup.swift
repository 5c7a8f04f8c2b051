import Credentials
import Glibc
import MinimalDBus
import Secrets

/// Answers for a session that is stored, unlocked and fresh, and for nothing else.
struct CachedLookup {
  /// What was read of standard input.
  private(set) var request: [UInt8]?

  /// The answer, as the engine would give it.
  ///
  /// - Throws: when the engine must be asked.
  mutating func answer(_ arguments: [String]) throws(NeedsEngine) -> Secret {
    let question = try FastPathArguments(arguments)
    guard variable("CODER_CRED_ENGINE") == nil, variable("CODER_CRED_TRACE") != "1" else {
      throw NeedsEngine()
    }
    let settings = try settings()
    var format = question.format
    var request: CredentialRequest?
    if question.readsRequest {
      var asked = try readRequest()
      asked.username = asked.username ?? question.account
      guard asked.refused == nil else { throw NeedsEngine() }
      if case .git = format { format = asked.gitFormat }
      request = asked
    } else {
      let named = try deferringToEngine { () throws(MalformedInput) in
        try DeploymentChoice.named(
          question.url, setting: settings.text("default-deployment", for: nil), variable: variable)
      }
      request = named.map { CredentialRequest(deployment: $0, username: question.account) }
    }
    guard request?.deployment.isConfidential ?? true else { throw NeedsEngine() }

    let session = try session(for: request, account: question.account)
    let margin = try settings.text("refresh-margin", for: session.deployment).map {
      text throws(NeedsEngine) in
      guard let margin = StoredSession.margin(text) else { throw NeedsEngine() }
      return margin
    }
    guard
      session.isFresh(
        now: Int64(time(nil)),
        minimumSeconds: question.minimumSeconds ?? margin ?? StoredSession.usualMargin)
    else { throw NeedsEngine() }
    return try deferringToEngine { () throws(MalformedInput) in
      try Credential(session).written(as: format)
    }
  }

  private mutating func readRequest() throws(NeedsEngine) -> CredentialRequest {
    guard isatty(STDIN_FILENO) == 0, let bytes = CredentialRequest.read(from: STDIN_FILENO) else {
      throw NeedsEngine()
    }
    request = bytes
    return try deferringToEngine { () throws(MalformedInput) in
      try CredentialRequest(parsing: bytes)
    }
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

  /// The one session there is: of the deployment that is asked for, or, when none is named, of all;
  /// if it is meant by the request.
  private func session(
    for request: CredentialRequest?, account: String?
  ) throws(NeedsEngine) -> StoredSession {
    let session = try deferringToEngine { () throws(BusError) in
      try KeyringLookup(ItemIdentity.session(of: request?.deployment))
    }.session()
    let meant = request ?? CredentialRequest(deployment: session.deployment, username: account)
    guard meant.isServed(by: session), session.deployment.isConfidential,
      request != nil || session.method != .basic
    else { throw NeedsEngine() }
    return session
  }
}

extension KeyringLookup {
  /// The session that the item holds.
  fileprivate func session() throws(NeedsEngine) -> StoredSession {
    let url = attributes["deployment"] ?? ""
    let session = try deferringToEngine { () throws(MalformedInput) in
      try StoredSession(
        payload: secret, deployment: try Deployment(url: url),
        account: attributes["account"] ?? "")
    }
    guard session.deployment.url == url else { throw NeedsEngine() }
    return session
  }
}

/// What went wrong, the engine finds out for itself, and explains.
func deferringToEngine<Value, Reason: Error>(_ body: () throws(Reason) -> Value) throws(NeedsEngine)
  -> Value
{
  do throws(Reason) { return try body() } catch { throw NeedsEngine() }
}

/// An environment variable's value; nil when it is unset or empty.
func variable(_ name: String) -> String? {
  getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}
