import Credentials
import HTTP
import Login
import OAuth
import Sessions

/// The one place where the errors of the libraries become words and exit statuses.
extension Failure {
  /// Translates any error that a command throws.
  ///
  /// - Returns: nil for what is none of ours: the argument parser's own.
  init?(translating error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as StoreError: self.init(error)
    case let error as SessionError: self.init(error)
    case let error as MalformedInput: self.init(error)
    case LoginError.noSocket(let reason):
      self.init(.retryLater, "no socket for the browser's answer: \(reason)")
    default: return nil
    }
  }

  /// Translates malformed input.
  init(_ error: MalformedInput) {
    self.init(.fixTheInput, error.reason)
  }

  /// Translates a keyring's refusal into what a person can do about it.
  init(_ error: StoreError) {
    switch error {
    case .keyring(let error): self.init(error)
    case .unreadable(let label, .newerPayload(let version)):
      self.init(
        .fixTheInput, "the keyring item “\(label)” has format \(version), newer than we know",
        hint: "upgrade coder-cred; the item was left as it is")
    case .unreadable(let label, let error):
      self.init(
        .fixTheInput, "the keyring item “\(label)” is not ours to use: \(error.reason)",
        hint: "look at it in your keyring application; it was left as it is")
    case .unwritable(let error):
      self.init(.fixTheInput, "this cannot be kept: \(error.reason)")
    }
  }

  /// Translates why a session could not be found, refreshed or ended.
  init(_ error: SessionError) {
    switch error {
    case .store(let error): self.init(error)
    case .oauth(let error, let deployment):
      self.init(error, at: deployment)
      if error.isTransient { remedy = .retryLater }
    case .busy(let holder, let waitedSeconds):
      let who = holder.map { "process \($0)" } ?? "another process"
      self.init(
        .retryLater, "\(who) has been refreshing this session for \(waitedSeconds) s",
        hint: holder.map { "if it hangs, end it: kill -9 \($0)" })
    case .lockUnusable(let path, let reason):
      self.init(.retryLater, "the lock \(path) cannot be used: \(reason)")
    case .noRuntimeDirectory:
      self.init(
        .retryLater, "there is no runtime directory of our own to keep a lock in",
        hint: "set XDG_RUNTIME_DIR to a directory that belongs to you, with mode 0700")
    case .signInNeeded(let session, let reason):
      self = .signIn(
        to: session.deployment, as: session.account, reason.message(of: session.deployment))
    case .changedMeanwhile(let session):
      self.init(
        .retryLater,
        "the session with \(session.deployment.url) was changed by another process")
    case .leftAlone(let session, let failedSecondsAgo, let nextTrySeconds):
      let url = session.deployment.url
      self.init(
        .retryLater,
        "\(url) could not refresh the session \(failedSecondsAgo) s ago; "
          + "the next try is in \(nextTrySeconds) s",
        hint: "to try at once: coder-cred refresh \(url)")
    case .refreshForbidden(let session):
      self.init(
        .signInAgain, "the access token for \(session.deployment.url) is no longer valid",
        hint: "leave out --no-refresh to have it refreshed")
    case .severalAccounts(let deployment, let accounts):
      self.init(
        .fixTheCall,
        "several accounts are signed in to \(deployment.url): "
          + accounts.joined(separator: ", "),
        hint: "choose one with --account NAME, or with credential.username in git")
    }
  }

  /// Translates what an OAuth step ran into at a deployment.
  init(_ error: OAuthError, at deployment: Deployment) {
    let place = deployment.url
    switch error {
    case .transport(let error):
      self.init(error, at: deployment)
    case .unavailable(let status, _, let retryAfter) where !(200...299).contains(status):
      self.init(
        .retryLater, "\(place): \(error)",
        hint: retryAfter.map { "the deployment asks to wait \($0) s" })
    case .denied:
      self.init(.askForAccess, "\(place): \(error)")
    case .refused where error.isClientRefused:
      self.init(
        .askForAccess, "\(place): \(error)",
        hint: "if it stays so, sign in again: coder-cred login \(place); with --client-id ID for "
          + "a client that an administrator made")
    case .registrationDisabled:
      self.init(
        .fixTheServer, "\(place) does not let programs register themselves",
        hint: "ask its owner to run: coder oauth2-provider dcr enable; or use --client-id, or "
          + "--method token")
    case .issuerMismatch(_, let found) where error.isIssuerWithoutTLS:
      self.init(
        .fixTheServer, "\(place) says that it is \(found), without encryption",
        hint: "its owner must set CODER_ACCESS_URL to \(place)")
    case .issuerMismatch(_, let found):
      self.init(
        .fixTheServer, "\(place) says that it is \(found)",
        hint: "if you trust that address, add --accept-issuer")
    case .notOffered:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "sign in with a session token: coder-cred login \(place) --method token")
    case .superseded, .interrupted:
      self.init(.retryLater, "\(place): \(error)")
    case .timedOut:
      self.init(
        .retryLater, "nobody finished signing in to \(place) in time",
        hint: "try again: coder-cred login \(place); an error that the browser shows may be told "
          + "only there")
    case .portBusy, .noLoopback:
      self.init(.retryLater, "\(error)")
    case .foreignEndpoint:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "if you trust that site, name it in allowed-origins for \(place) in the configuration"
      )
    case .moved(let url):
      self.init(
        .fixTheServer, "\(place): \(error)", hint: "sign in there: coder-cred login \(url)")
    case .refused(let response, _) where response.isAboutRegistration:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "use a client that its owner makes (--client-id ID), or --method token")
    // A refusal in a form that nobody defines may be a verdict on the session.
    case .refused, .redirected:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "if it stays so, sign in again: coder-cred login \(place)")
    case .unavailable, .authorizationFailed, .unsupported, .malformed, .foreignResponse:
      self.init(.fixTheServer, "\(place): \(error)")
    }
  }

  /// Translates why a deployment gave no response.
  init(_ error: HTTPError, at deployment: Deployment) {
    switch error {
    case .refusedURL(let reason):
      self.init(.fixTheInput, "\(deployment.url): \(reason)")
    case .foreignServer(let reason):
      self.init(
        .askForAccess, "\(deployment.url) gets nothing without encryption: \(reason)",
        hint: "if you trust that user, set allow-http=true for \(deployment.url) in the "
          + "configuration")
    case .libraryUnusable(let reason):
      self.init(.reportIt, reason, hint: "install libcurl 7.87 or later")
    case .misconfigured(let reason):
      self.init(
        .fixTheCall, reason,
        hint: "see the configuration, coder-cred(5), and coder-cred config list")
    case .unreachable(let reason), .timedOut(let reason), .broken(let reason):
      self.init(.retryLater, "\(deployment.url) did not answer: \(reason)")
    case .tooLarge(let reason):
      self.init(.fixTheServer, "\(deployment.url): \(reason)")
    case .untrusted(let reason):
      self.init(
        .askForAccess, "\(deployment.url) has a certificate that is not trusted: \(reason)",
        hint: reason.hasSuffix("is not valid yet") || reason.hasSuffix("has expired")
          ? "or this machine's clock is wrong; it says \(WallClock.today)"
          : "for an authority of your own set ca-file in the configuration, or SSL_CERT_FILE")
    case .clientCertificateRejected(let reason):
      self.init(
        .askForAccess, "\(deployment.url) did not accept our certificate: \(reason)",
        hint: "see client-certificate and client-key in the configuration")
    }
  }

  /// Translates why a deployment's API gave no response that says anything.
  init(_ reason: DeploymentAPI.NoResponse, at deployment: Deployment) {
    switch reason {
    case .oauth(let error): self.init(error, at: deployment)
    case .unexpected(let status):
      self.init(
        .retryLater,
        (200..<300).contains(status)
          ? "\(deployment.url) answered with something that is not its own"
          : "\(deployment.url) cannot answer now (HTTP \(status))")
    }
  }

  /// Translates why a sign-in did not succeed.
  init(_ error: LoginError, at deployment: Deployment) {
    let place = deployment.url
    let page = "it is shown at \(place)/cli-auth"
    switch error {
    case .session(let error): self.init(error)
    case .oauth(let error): self.init(error, at: deployment)
    case .noResponse(let reason): self.init(reason, at: deployment)
    case .malformedToken: self.init(.fixTheInput, "this is no session token", hint: page)
    case .unusableInput(let reason): self.init(.fixTheInput, reason)
    case .noToken: self.init(.fixTheInput, "no token was given", hint: page)
    case .tokenRejected:
      self.init(
        .askForAccess, "\(place) does not accept this token",
        hint: "copy a fresh one from \(place)/cli-auth")
    case .tokenOwnerUnknown:
      self.init(.fixTheServer, "\(place) does not say whose token it is")
    case .wrongAccount(let found, let wanted, let isOfBrowser):
      self.init(
        .askForAccess,
        isOfBrowser
          ? "the browser is signed in as \(found), not \(wanted)"
          : "the token is \(found)'s, not \(wanted)'s",
        hint: isOfBrowser ? "sign out of \(place) in the browser, and try again" : nil)
    case .malformedClient:
      self.init(
        .fixTheInput, "the client id or its secret holds a blank or a control character")
    case .otherLoginDoesNotEnd:
      self.init(.retryLater, "another sign-in to \(place) does not end")
    case .otherLoginFailed:
      self.init(
        .retryLater, "the other sign-in to \(place) did not succeed",
        hint: "coder-cred login \(place)")
    case .endedMeanwhile:
      self.init(
        .retryLater, "another process signed in to \(place), or out of it, at the same time",
        hint: "coder-cred login \(place)")
    case .noSocket(let reason):
      self.init(.retryLater, "no socket for the browser's answer: \(reason)")
    }
  }

  /// Translates what a server keeps although the person signed out.
  init(_ item: UnrevokedItem, at deployment: Deployment) {
    let cause: Failure =
      switch item.reason {
      case .oauth(let error): Failure(error, at: deployment)
      case .unsupported(let status):
        Failure(.fixTheServer, "\(deployment.url) cannot revoke tokens (HTTP \(status))")
      case .unexpected(let status):
        Failure(.unexpected(status: status), at: deployment)
      case .accessTokenDead:
        Failure(.fixTheServer, "\(deployment.url) revokes nothing once the access token is dead")
      }
    let isTransient =
      switch item.reason {
      case .oauth(.transport): true
      case .oauth(let error): cause.remedy == .retryLater && !error.isAbsence
      default: cause.remedy == .retryLater
      }
    let message =
      switch (item.subject, item.reason) {
      case (.tokens, _):
        "the tokens are not revoked and live until they expire: \(cause.message)"
      case (.registration(let id), .oauth(.transport)):
        "\(deployment.url) still has the client \(id) registered"
      case (.registration(let id), _): "the client \(id) stays registered: \(cause.message)"
      }
    self.init(isTransient ? .retryLater : .fixTheServer, message)
  }
}

extension OAuthError {
  /// Whether there is nobody at this address who could do what was asked, now or later.
  fileprivate var isAbsence: Bool {
    guard case .unavailable(let status, _, _) = self else { return false }
    return (400..<500).contains(status) && ![408, 429].contains(status)
  }
}

extension ErrorResponse {
  /// Whether a registration was refused for what it asked for (RFC 7591 §3.2.2).
  fileprivate var isAboutRegistration: Bool {
    [
      "invalid_client_metadata", "invalid_redirect_uri", "invalid_software_statement",
      "unapproved_software_statement",
    ].contains(code)
  }
}

extension SessionError.SignInReason {
  /// What a person reads.
  fileprivate func message(of deployment: Deployment) -> String {
    let place = deployment.url
    return switch self {
    case .ended: "the session with \(place) has ended"
    case .refused: "\(place) no longer accepts the session"
    case .refusedAfterInterruption:
      "\(place) no longer accepts the session: an interrupted refresh ended it"
    case .registrationGone: "the OAuth client that \(place) issued the session to is gone"
    case .removed: "the session with \(place) was removed meanwhile"
    }
  }
}

extension SessionWarning {
  /// What a person reads.
  var message: String {
    switch self {
    case .notRefreshed(let error):
      "not refreshed, will be tried again: \(Failure(error).message)"
    case .beingReplaced(let error):
      "\(Failure(error).message); the token may stop working at any moment"
    case .notSaved(let error):
      "refreshed, but not saved: \(Failure(error).message); "
        + "a new sign-in will be needed once this token expires"
    case .oddResponse(let deployment, let oddity): "\(deployment.url): \(oddity)"
    case .clockDiffers(let deployment, let seconds):
      "this machine's clock is \(Self.words(seconds)) that of \(deployment.url)"
    }
  }

  private static func words(_ seconds: Int64) -> String {
    let distance = seconds.magnitude
    let amount =
      switch distance {
      case ..<7_200: "\(distance / 60) minutes"
      case ..<172_800: "\(distance / 3600) hours"
      default: "\(distance / 86_400) days"
      }
    return "\(amount) \(seconds > 0 ? "ahead of" : "behind")"
  }
}

extension MalformedInput {
  /// The reason alone.
  var reason: String {
    switch self {
    case .request(let reason), .url(let reason), .payload(let reason), .unwritable(let reason),
      .settings(let reason):
      reason
    case .newerPayload(let version): "its format \(version) is newer than we know"
    }
  }
}
