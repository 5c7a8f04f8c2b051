import Credentials
import HTTP
import OAuth
import Sessions

/// What a command works with: environment, settings, clock, and the ways to keyring and network.
///
/// Nothing is opened before a command asks for it.
final class CommandContext {
  let environment: Environment
  let trace: Trace
  let clock = SystemClock()
  /// The keyring, opened by the first call.
  let store: any SessionStore
  /// Where processes of this user meet.
  let directory: RuntimeDirectory
  /// One change of a session at a time among those who share the runtime directory.
  let fileLock: FileLock
  /// One change of a session at a time among all who reach the keyring.
  let lock: any SessionLock
  private let names: any BusNames
  private var readSettings: Settings?

  init(environment: Environment = .ofThisProcess) {
    self.environment = environment
    let trace = Trace(isOn: environment["CODER_CRED_TRACE"] == "1")
    self.trace = trace
    let keyring = KeyringSessionStore(
      onWait: { Terminal.say($0.message) }, onLoss: { Terminal.warn(lossMessage(of: $0)) },
      trace: { trace($0) })
    store = keyring
    names = keyring
    directory = RuntimeDirectory(environment)
    fileLock = FileLock(directory: directory)
    lock = KeyringLock(inner: fileLock, names: keyring, clock: clock)
  }

  /// The lock of everybody who reaches the keyring, on top of one that this process was started
  /// with.
  func lock(on inherited: InheritedLock) -> any SessionLock {
    KeyringLock(inner: inherited, names: names, clock: clock)
  }

  /// The person's settings, read once.
  func settings() throws(Failure) -> Settings {
    if let readSettings { return readSettings }
    let settings = try Settings(environment)
    readSettings = settings
    return settings
  }

  /// The seams that work on sessions goes through.
  ///
  /// - Parameters:
  ///   - lock: another lock than ``lock``.
  ///   - warn: takes warnings that are not to be said on standard error.
  ///   - showsWaiting: whether a terminal shows what is waited for.
  /// - Returns: the seams.
  /// - Throws: a failure to read the settings.
  func services(
    lock: (any SessionLock)? = nil, warn: ((SessionWarning) -> Void)? = nil,
    showsWaiting: Bool = false
  ) throws(Failure) -> SessionServices {
    let settings = try settings()
    let (environment, trace) = (environment, trace)
    let plainLock = lock ?? self.lock
    return SessionServices(
      store: store,
      lock: showsWaiting ? BusyLock(lock: plainLock, environment: environment) : plainLock,
      history: RefreshHistoryFiles(directory: directory),
      clock: showsWaiting ? BusyClock(clock: clock, environment: environment) : clock,
      policy: { deployment throws(OAuthError) in try settings.endpointPolicy(of: deployment) },
      client: { deployment, urgency in
        var transport = settings.transport(for: deployment, environment)
        // A response that comes after we gave up costs the session: only connecting is cut short.
        if urgency == .callerWaits { transport.connectTimeoutMilliseconds = 3_000 }
        if urgency == .personWaits { transport.totalTimeoutMilliseconds = 5_000 }
        if urgency == .callerCanDoWithout { transport.totalTimeoutMilliseconds = 3_000 }
        let curl = CurlClient(settings: transport)
        let client: any HTTPClient =
          showsWaiting
          ? BusyClient(client: curl, environment: environment, name: deployment.name) : curl
        return TracingClient(client: client, trace: trace)
      },
      warn: warn ?? { Terminal.warn($0.message) }, trace: { trace($0) })
  }

  /// The deployment that a command means: the one it names, else `CODER_URL`, else the default
  /// deployment, else the only one stored.
  func deployment(named url: String?) throws -> Deployment {
    let configured = try defaultDeployment()
    let named = try DeploymentChoice.named(url, setting: configured) { environment[$0] }
    guard let named else { return try onlyDeployment() }
    try requireConfidential(named)
    return named
  }

  /// Whether a command without a URL means the default deployment.
  var isNamedBySettings: Bool {
    let byCaller = try? DeploymentChoice.named(nil, setting: nil) { environment[$0] }
    return byCaller == nil && (try? defaultDeployment()) != nil
  }

  /// Refuses what can be no Coder deployment, before anything is asked or sent.
  func requireHTTP(_ deployment: Deployment) throws(Failure) {
    guard !deployment.isHTTP else { return }
    throw Failure(
      .fixTheInput, "\(deployment.url) is no Coder deployment: its URL begins with https://")
  }

  /// Refuses a deployment to which a secret would travel unencrypted, unless the person allowed it.
  func requireConfidential(_ deployment: Deployment) throws(Failure) {
    guard !deployment.isConfidential else { return }
    guard try !settings().flag("allow-http", for: deployment) else { return }
    throw Failure(
      .fixTheInput, "refusing http://\(deployment.name): the token would be sent unencrypted",
      hint: "use https://\(deployment.name), or set allow-http=true for \(deployment.url) in the "
        + "configuration")
  }

  private func onlyDeployment() throws -> Deployment {
    let entries = try store.entries(of: nil)
    // gnome-keyring does not even tell whose items they are before it was first unlocked.
    guard !entries.contains(where: \.isHidden) else { throw StoreError.locked }
    let candidates = entries.filter(\.mayHoldToken)
    let urls = Set(candidates.map(\.deployment)).sorted()
    // Of what is locked not everything is known, and none of it can be used.
    if urls.count > 1, let lock = candidates.lazy.compactMap(\.lock).first { throw lock }
    guard let url = urls.first else {
      throw Failure(.signInAgain, "nobody is signed in", hint: "coder-cred login URL")
    }
    guard urls.count == 1, let deployment = try? Deployment(url: url) else {
      throw Failure(
        .fixTheCall, "no URL is given, and there are several: \(urls.joined(separator: ", "))",
        hint: "to choose one: coder-cred use \(url); or name one, or set CODER_URL")
    }
    return deployment
  }
}

extension RuntimeDirectory {
  /// `$XDG_RUNTIME_DIR`, else below `/run/user`, else below the state directory of the home.
  init(_ environment: Environment) {
    let state = environment.directory("XDG_STATE_HOME", below: ".local/state")
    self.init(
      parents: [environment.directory("XDG_RUNTIME_DIR"), "/run/user/\(Environment.userID)", state]
        .compactMap(\.self))
  }
}
