import ArgumentParser
import Credentials
import Sessions

/// What every command that outputs a credential understands.
struct CredentialOptions: ParsableArguments {
  @Option(help: "The deployment, as an argument names it.", completion: .deployments)
  var url: String?

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

  @Flag(
    help: "Ask the deployment whether the token still works, for tools that ask again after a 401.")
  var verify = false

  mutating func validate() throws {
    if account?.isEmpty ?? false { throw ValidationError("--account needs a name") }
    guard minimumSeconds.map({ StoredSession.margins.contains($0) }) ?? true else {
      throw ValidationError(
        "--min-ttl takes a number of seconds from 0 to \(StoredSession.margins.upperBound)")
    }
  }

  /// The URL that an argument names, or `--url`.
  func named(_ argument: String?) throws(Failure) -> String? {
    guard let argument, let url, argument != url else { return argument ?? url }
    throw Failure(.fixTheCall, "two deployments are named, and one is meant")
  }
}

extension CommandContext {
  /// The live session that a request means; with a format, one that need not live for it.
  ///
  /// - Returns: nil when nothing here is meant by the request.
  func session(
    for request: CredentialRequest, _ options: CredentialOptions,
    as format: Credential.Format? = nil
  ) throws -> StoredSession? {
    guard let found = try lookup().session(for: request) else { return nil }
    if format?.takesAsKept(found) ?? false { return found }
    let session = try live(found, for: request, options)
    guard options.verify, session.accessToken == found.accessToken else { return session }
    return try verified(session, options)
  }

  private func live(
    _ session: StoredSession, for request: CredentialRequest, _ options: CredentialOptions
  ) throws -> StoredSession {
    if let refused = request.refused, refused.isPresent(in: session), !options.noRefresh {
      return try refreshed(session, because: .rejection)
    }
    let margin = try settings().refreshMargin(for: session.deployment)
    let reason = RefreshReason.use(
      of: session, minimumSeconds: options.minimumSeconds ?? margin,
      mayRefresh: !options.noRefresh, now: clock.now)
    return try refreshed(session, because: reason, mayRefresh: !options.noRefresh)
  }

  /// The live session of a deployment that a person or script named; with a format, one that need
  /// not live for it.
  func session(
    at url: String?, _ options: CredentialOptions, as format: Credential.Format? = nil
  ) throws -> StoredSession {
    let deployment = try deployment(named: options.named(url))
    let request = CredentialRequest(deployment: deployment, username: options.account)
    guard let session = try session(for: request, options, as: format) else {
      let isDefault = url == nil && options.url == nil && isNamedBySettings
      throw Failure.nobodySignedIn(
        to: deployment, as: options.account,
        isDefault ? ", the default deployment (coder-cred use --unset for none)" : "")
    }
    return session
  }

  /// Writes a session to standard output, for a caller who named a user, or with nil nobody.
  func output(
    _ session: StoredSession, as format: Credential.Format, to username: String? = nil
  ) throws {
    try Terminal.output(Credential(session, to: username).written(as: format))
  }
}

extension Failure {
  /// Nothing is stored for a deployment, or nothing of the account that was asked for.
  static func nobodySignedIn(
    to deployment: Deployment, as account: String?, _ more: String = ""
  ) -> Failure {
    let who = account.map { " as \($0)" } ?? ""
    return .signIn(
      to: deployment, as: account, "nobody is signed in\(who) to \(deployment.url)\(more)")
  }
}
