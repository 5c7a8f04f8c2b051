import Credentials
import Login
import OAuth
import Sessions

/// Where the errors of the libraries become words and exit statuses: those of keyring and sessions here,
/// of deployments in `DeploymentFailures`, of sign-ins in `LoginFailures`.
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
    let hint: String? =
      switch error {
      case .url: "a deployment's address is like https://dev.coder.com"
      case .request:
        "a request is lines such as url=https://dev.coder.com, up to an empty one; without a "
          + "request: coder-cred get URL"
      case .unwritable(Credential.isPassword): Self.passwordHint
      default: nil
      }
    self.init(.fixTheInput, error.reason, hint: hint)
  }

  /// What is stored is git's, and no use to whoever wants a token.
  static let storedPassword = Failure(
    .fixTheInput, Credential.isPassword, hint: passwordHint)

  private static let passwordHint = "git uses it by itself; nothing else needs to ask for it"

  /// Translates a keyring's refusal into what a person can do about it.
  init(_ error: StoreError) {
    switch error {
    case .keyring(let error): self.init(error)
    case .unreadable(let label, let error, let deployment, let account):
      let flag = account.map { $0.isEmpty ? "" : Self.flag(account: $0) } ?? ""
      let removal =
        deployment.isEmpty
        ? "remove it in your keyring application"
        : "to remove it: coder-cred logout \(deployment)\(flag) --force"
      if case .newerPayload(let version) = error {
        self.init(
          .fixTheInput, "the keyring item “\(label)” has format \(version), newer than we know",
          hint: "upgrade coder-cred; the item was left as it is; \(removal)")
      } else {
        self.init(
          .fixTheInput, "the keyring item “\(label)” cannot be used: \(error.reason)",
          hint: "the item was left as it is; \(removal)")
      }
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
    case .refusedUnclearly(let session, let error):
      let refusal = Failure(error, at: session.deployment)
      self.init(
        error.isTransient ? .retryLater : refusal.remedy, refusal.message,
        hint: Self.signInIfItStays(session))
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
        .retryLater, Self.leftAlone(url, failedSecondsAgo, nextTrySeconds),
        hint: "to try at once: coder-cred refresh \(url)")
    case .leftAloneAfterRefusal(let session, let failedSecondsAgo, let nextTrySeconds):
      self.init(
        .retryLater, Self.leftAlone(session.deployment.url, failedSecondsAgo, nextTrySeconds),
        hint: Self.signInIfItStays(session))
    case .refreshForbidden(let session):
      self.init(
        .signInAgain, "the access token for \(session.deployment.url) is no longer valid",
        hint: "leave out --no-refresh to have it refreshed")
    case .severalAccounts(let deployment, let accounts):
      self.init(
        .fixTheCall,
        "several accounts are signed in to \(deployment.url): "
          + accounts.joined(separator: ", "),
        hint: "coder-cred use \(deployment.url)\(Self.flag(account: accounts.first ?? "")), or for "
          + "once --account NAME (in git: credential.username)")
    }
  }

  private static func leftAlone(
    _ url: String, _ failedSecondsAgo: Int64, _ nextTrySeconds: Int64
  ) -> String {
    "\(url) could not refresh the session \(failedSecondsAgo) s ago; "
      + "the next try is in \(nextTrySeconds) s"
  }

  /// What to do about a refusal that may be a verdict on the session, and may be none.
  private static func signInIfItStays(_ session: SessionIdentity) -> String? {
    let command = signIn(to: session.deployment, as: session.account, "").hint
    return command.map { "if it stays so, sign in again: \($0)" }
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
