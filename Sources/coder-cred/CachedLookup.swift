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
    let settings = try PlainSettings()
    var format = question.format
    var account = question.account
    let deployment: Deployment?
    if question.readsRequest {
      let request = try readRequest()
      deployment = request.deployment
      account = request.username ?? account
      guard request.refused == nil else { throw NeedsEngine() }
      if case .git = format { format = request.gitFormat }
    } else {
      let url = question.url ?? variable("CODER_URL") ?? settings.defaultDeployment
      deployment = try url.map { url throws(NeedsEngine) in
        try deferringToEngine { () throws(MalformedInput) in try Deployment(url: url) }
      }
    }
    guard deployment?.isConfidential ?? true else { throw NeedsEngine() }

    let session = try session(of: deployment, account: account)
    let margin = try settings.margin(for: session.deployment)
    guard session.refreshingSince == nil,
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

  /// The one session there is, of the deployment or of all, if it is meant by the request.
  private func session(of deployment: Deployment?, account: String?) throws(NeedsEngine)
    -> StoredSession
  {
    var asked = [("application", "coder-cred"), ("kind", "session")]
    if let deployment { asked.append(("deployment", deployment.url)) }
    let item = try deferringToEngine { () throws(BusError) in try KeyringLookup(asked) }
    let url = item.attributes["deployment"] ?? ""
    let session = try deferringToEngine { () throws(MalformedInput) in
      try StoredSession(
        payload: item.secret, deployment: try Deployment(url: url),
        account: item.attributes["account"] ?? "")
    }
    let isMeant =
      session.method == .basic
      ? account ?? session.account == session.account
      : account == nil || session.account == account || session.account.isEmpty
    guard isMeant, session.deployment.isConfidential, session.deployment.url == url,
      deployment != nil || session.method != .basic
    else { throw NeedsEngine() }
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
