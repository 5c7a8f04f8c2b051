import ArgumentParser
import Credentials

/// What every verb that answers with a credential understands.
struct CredentialOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Use this account's session.", valueName: "name"))
  var account: String?

  @Option(
    name: .customLong("min-ttl"),
    help: ArgumentHelp(
      "Refresh if the token lives less than this (default: 60, or refresh-margin).",
      valueName: "seconds"))
  var minimumSeconds: Int64?

  @Flag(name: .customLong("no-refresh"), help: "Answer from the keyring alone.")
  var noRefresh = false

  mutating func validate() throws {
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
  ) throws(Failure) -> StoredSession? {
    guard let session = try Lookup(context: self).session(for: request) else { return nil }
    let margin = try configuration().number(
      "refresh-margin", for: session.deployment, in: StoredSession.margins)
    let refresher = Refresher(context: self)
    if let refused = request.refused, refused.isPresent(in: session), !options.noRefresh {
      return try refresher.replaced(session)
    }
    return try refresher.live(
      session, minimumSeconds: options.minimumSeconds ?? margin ?? StoredSession.usualMargin,
      mayRefresh: !options.noRefresh)
  }

  /// The live session of a deployment that a person or script named.
  func session(at url: String?, _ options: CredentialOptions) throws(Failure) -> StoredSession {
    let deployment = try Lookup(context: self).deployment(named: url)
    let request = CredentialRequest(deployment: deployment, username: options.account)
    guard let session = try session(for: request, options) else {
      let who = options.account.map { " as \($0)" } ?? ""
      throw .signIn(to: deployment, "nobody is signed in to \(deployment.url)\(who)")
    }
    return session
  }

  /// Writes a session to standard output.
  func answer(_ session: StoredSession, as format: Credential.Format) throws(Failure) {
    let answer: Result<_, MalformedInput> = Result { () throws(MalformedInput) in
      try Credential(session).written(as: format)
    }
    switch answer {
    case .success(let text): try Terminal.answer(text)
    case .failure(let error): throw Failure(.fixTheInput, error.reason)
    }
  }
}
