import Credentials
import Login
import Sessions

/// Which account of a deployment is meant when nobody names one: the setting `account` of the
/// deployment, which the fast path reads, too.
///
/// It is written once there are several accounts to choose from. Without it, or when its session is
/// gone or has ended, ``SessionLookup`` takes the account that signed in last.
extension CommandContext {
  /// The account that was chosen for a deployment; nil when none was.
  func activeAccount(of deployment: Deployment) throws(Failure) -> String? {
    try settings().text(Settings.account, for: deployment)
  }

  /// The URL of the deployment that is meant when nobody names one, as it is set; nil when none is.
  func defaultDeployment() throws(Failure) -> String? {
    try settings().text(Settings.defaultDeployment, for: nil)
  }

  /// Finds sessions, the active account's first.
  func lookup() throws(Failure) -> SessionLookup {
    let settings = try settings()
    return SessionLookup(
      store: store, clock: clock, activeAccount: { settings.text(Settings.account, for: $0) })
  }

  /// Makes the account that has just signed in the active one of its deployment, if others are
  /// signed in there, and says so.
  ///
  /// A failure is only told: the sign-in itself has succeeded.
  func makeActive(_ session: StoredSession) {
    do {
      let others = try store.entries(of: session.deployment)
        .filter { $0.mayServe(now: clock.now) && ![session.account, ""].contains($0.account) }
        .map(\.account).sorted()
      guard let other = others.first else { return }
      if try activeAccount(of: session.deployment) ?? "" != session.account {
        let chosen = session.account.isEmpty ? nil : session.account
        try settingsFile().set(Settings.account, to: chosen, for: session.deployment)
      }
      guard !session.account.isEmpty else { return }
      Terminal.say(
        "Commands for \(session.deployment.url) now mean \(session.account), who signed in last. "
          + "To switch: coder-cred use \(session.deployment.url) --account \(other)")
    } catch {
      guard let failure = Failure(translating: error) else { return }
      Terminal.warn("\(session.account) is not made the active account: \(failure.message)")
    }
  }

  /// Does what may sign in as another account than was asked for: the session of that account is then
  /// the latest, and no reason for commands to mean it.
  ///
  /// A failure to keep the choice is only told: why the sign-in was refused matters more.
  func keepingActiveAccount<Value>(
    of deployment: Deployment, _ body: () throws -> Value
  ) throws -> Value {
    // What was chosen stays anyway.
    let isChosen = try activeAccount(of: deployment) != nil
    let request = CredentialRequest(deployment: deployment)
    let former = isChosen ? nil : try? lookup().session(for: request)
    do { return try body() } catch let error as LoginError {
      if case .wrongAccount(_, _, isOfBrowser: true) = error, let former { keepActive(former) }
      throw error
    }
  }

  private func keepActive(_ session: StoredSession) {
    do {
      let living = try store.entries(of: session.deployment).count { $0.mayServe(now: clock.now) }
      guard living > 1, !session.account.isEmpty else { return }
      try settingsFile().set(Settings.account, to: session.account, for: session.deployment)
    } catch {
      guard let failure = Failure(translating: error) else { return }
      Terminal.warn("\(session.account) does not stay the active account: \(failure.message)")
    }
  }

  /// Takes back what was chosen, if nobody is signed in any more whom it could mean: the default
  /// deployment, and its active account.
  ///
  /// A failure is only told: whoever calls has done what was asked for.
  func forgetChoices(of deployment: Deployment) {
    do {
      let isDefault = try defaultDeployment().map { try Deployment(url: $0) } == deployment
      let active = try activeAccount(of: deployment)
      guard isDefault || active != nil else { return }
      let entries = try store.entries(of: deployment)
      if let active, !entries.contains(where: { $0.account == active }) {
        try settingsFile().set(Settings.account, to: nil, for: deployment)
      }
      if isDefault, entries.isEmpty {
        try settingsFile().set(Settings.defaultDeployment, to: nil)
        Terminal.say("\(deployment.url) is no longer the default deployment.")
      }
    } catch {
      guard let failure = Failure(translating: error) else { return }
      Terminal.warn("the configuration still names \(deployment.url): \(failure.message)")
    }
  }

  /// The file that settings are written to.
  func settingsFile() throws(Failure) -> SettingsFile {
    guard let path = Settings.path(environment) else {
      throw Failure(
        .fixTheCall, "there is no place for the configuration", hint: "set HOME or XDG_CONFIG_HOME")
    }
    return SettingsFile(path: path)
  }
}

extension Settings {
  /// The setting that names a deployment's active account.
  static let account = "account"
  /// The setting that names the deployment that is meant when nobody names one.
  static let defaultDeployment = "default-deployment"
}
