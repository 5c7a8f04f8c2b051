import Credentials

/// Why a command failed, told once: what happened, what to do next, and the exit status.
struct Failure: Error, Equatable {
  /// What the caller can do next.
  enum Remedy: String {
    /// A person must sign in again.
    case signInAgain
    /// The call itself is wrong.
    case fixTheCall
    /// Something handed to us is malformed or refused: a request, a URL, an item of the keyring.
    case fixTheInput
    /// There is no Secret Service, or it is locked.
    case unlock
    /// A fault of this program.
    case reportIt
    /// Time will help: network, overload, a busy lock.
    case retryLater
    /// The server broke the protocol or lacks what we need.
    case fixTheServer
    /// Access was refused.
    case askForAccess
  }

  var remedy: Remedy
  /// One sentence without a capital or a full stop, free of secrets.
  let message: String
  /// What to do, with the exact command where there is one.
  let hint: String?
  /// Whether only the exit status tells, because whoever called us shows our words to people whom
  /// they do not concern.
  var isSilent = false
  /// Where a person must sign in, when that is what helps.
  var deployment: Deployment?
  /// As whom; nil when it does not matter.
  var account: String?
  /// Another exit status than the remedy's: an executed command has its own.
  var status: Int32?

  init(_ remedy: Remedy, _ message: String, hint: String? = nil) {
    self.remedy = remedy
    self.message = message
    self.hint = hint
  }

  /// A person must sign in to a deployment, and this is how; as the given account, for the browser
  /// may be signed in as somebody else.
  static func signIn(
    to deployment: Deployment, as account: String? = nil, _ message: String
  ) -> Failure {
    let account = account.flatMap { $0.isEmpty ? nil : $0 }
    var failure = Failure(
      .signInAgain, message,
      hint: "coder-cred login \(deployment.url)\(account.map(flag(account:)) ?? "")")
    failure.deployment = deployment
    failure.account = account
    return failure
  }

  /// The option that names an account, with a blank before it, as it can be pasted into a shell.
  static func flag(account: String) -> String {
    " --account " + account.shellWord
  }

  /// The documented exit status, after sysexits.h.
  var exitStatus: Int32 {
    if let status { return status }
    return switch remedy {
    case .signInAgain: 1
    case .fixTheCall: 64
    case .fixTheInput: 65
    case .unlock: 69
    case .reportIt: 70
    case .retryLater: 75
    case .fixTheServer: 76
    case .askForAccess: 77
    }
  }
}
