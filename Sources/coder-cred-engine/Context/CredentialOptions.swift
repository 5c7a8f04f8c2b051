import ArgumentParser
import Credentials
import Sessions

/// What every command that outputs a credential understands.
struct CredentialOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Use this account's session.", valueName: "name"), completion: .accounts)
  var account: String?

  @Option(
    name: .customLong("min-ttl"),
    help: ArgumentHelp(
      "Refresh if the token lives less than this (default: 60, or refresh-margin).",
      valueName: "seconds"))
  var minimumSeconds: Int64?

  @Flag(name: .customLong("no-refresh"), help: "Use the keyring alone.")
  var noRefresh = false

  mutating func validate() throws {
    if account?.isEmpty ?? false { throw ValidationError("--account needs a name") }
    guard minimumSeconds.map({ StoredSession.margins.contains($0) }) ?? true else {
      throw ValidationError(
        "--min-ttl takes a number of seconds from 0 to \(StoredSession.margins.upperBound)")
    }
  }
}

extension CommandContext {
  /// The live session that a request means.
  ///
  /// - Returns: nil when nothing here is meant by the request.
  func session(
    for request: CredentialRequest, _ options: CredentialOptions
  ) throws -> StoredSession? {
    guard let session = try lookup().session(for: request) else { return nil }
    if let refused = request.refused, refused.isPresent(in: session), !options.noRefresh {
      return try refreshed(session, because: .rejection)
    }
    let margin = try settings().refreshMargin(for: session.deployment)
    let reason = RefreshReason.use(
      of: session, minimumSeconds: options.minimumSeconds ?? margin,
      mayRefresh: !options.noRefresh, now: clock.now)
    return try refreshed(session, because: reason, mayRefresh: !options.noRefresh)
  }

  /// The live session of a deployment that a person or script named.
  func session(at url: String?, _ options: CredentialOptions) throws -> StoredSession {
    let deployment = try deployment(named: url)
    let request = CredentialRequest(deployment: deployment, username: options.account)
    guard let session = try session(for: request, options) else {
      let who = options.account.map { " as \($0)" } ?? ""
      let isDefault = url == nil && isNamedBySettings
      throw Failure.signIn(
        to: deployment, as: options.account,
        "nobody is signed in to \(deployment.url)\(who)"
          + (isDefault ? ", the default deployment (coder-cred use --unset for none)" : ""))
    }
    return session
  }

  /// Writes a session to standard output.
  func output(_ session: StoredSession, as format: Credential.Format) throws {
    try Terminal.output(Credential(session).written(as: format))
  }
}
