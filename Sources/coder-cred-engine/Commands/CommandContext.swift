import Credentials
import HTTP
import OAuth

/// What the verbs work with: the environment, the clock, and the ways to keyring and network.
///
/// Nothing is opened before a verb asks for it.
final class CommandContext {
  let environment: Environment
  let trace: Trace
  /// Unix seconds.
  let now: () -> Int64

  private let openStore: (Trace) throws(StoreError) -> any SessionStore
  private let openClient: (TransportSettings) -> any HTTPClient
  private var openedStore: (any SessionStore)?
  private var readConfiguration: Settings?

  init(
    environment: Environment = .ofThisProcess,
    now: @escaping () -> Int64 = WallClock.now,
    store: @escaping (Trace) throws(StoreError) -> any SessionStore = {
      trace throws(StoreError) in try KeyringSessionStore(trace: trace)
    },
    client: @escaping (TransportSettings) -> any HTTPClient = { CurlClient(settings: $0) }
  ) {
    self.environment = environment
    self.trace = Trace(isOn: environment["CODER_CRED_TRACE"] == "1")
    self.now = now
    openStore = store
    openClient = client
  }

  /// The keyring, opened once.
  func store() throws(Failure) -> any SessionStore {
    if let openedStore { return openedStore }
    do throws(StoreError) {
      let store = try openStore(trace)
      openedStore = store
      return store
    } catch {
      throw Failure(error)
    }
  }

  /// Asks the keyring, and translates its refusal.
  func keyring<Value>(
    _ body: (any SessionStore) throws(StoreError) -> Value
  ) throws(Failure) -> Value {
    let store = try store()
    do throws(StoreError) {
      return try body(store)
    } catch {
      throw Failure(error)
    }
  }

  /// The person's settings, read once.
  func configuration() throws(Failure) -> Settings {
    if let readConfiguration { return readConfiguration }
    let configuration = try Settings(environment)
    readConfiguration = configuration
    return configuration
  }

  /// Lets go of the keyring's connection: the service may have been replaced by another.
  func closeStore() {
    openedStore = nil
  }

  /// A way to a deployment's server, with the person's certificates and proxy; a hurried one gives
  /// up before a waiting tool has waited ten seconds.
  func client(
    for deployment: Deployment, isHurried: Bool = false
  ) throws(Failure) -> any HTTPClient {
    var settings = try transportSettings(for: deployment)
    // Not less: an answer that comes after we went away costs the session.
    if isHurried { (settings.connectTimeout, settings.totalTimeout) = (3_000, 9_000) }
    return TracingClient(client: openClient(settings), trace: trace)
  }

  /// How a deployment's server is reached.
  func transportSettings(for deployment: Deployment) throws(Failure) -> TransportSettings {
    let configuration = try configuration()
    var settings = TransportSettings(userAgent: "coder-cred/\(Version.number)")
    settings.environment = environment.variables
    settings.caFile = configuration.text("ca-file", for: deployment)
    settings.clientCertificateFile = configuration.text("client-certificate", for: deployment)
    settings.clientKeyFile = configuration.text("client-key", for: deployment)
    settings.allowsPlainHTTP = configuration.flag("allow-http", for: deployment)
    return settings
  }

  /// Where the secrets of a deployment may go, by the settings of this moment.
  func endpointPolicy(of deployment: Deployment) throws(Failure) -> EndpointPolicy {
    let allowed = try configuration().words("allowed-origins", for: deployment)
    return try asking(deployment) { () throws(OAuthError) in
      try EndpointPolicy(deployment: deployment.url, allowedOrigins: Set(allowed))
    }
  }

  /// Refuses a deployment to which a secret would travel readably, unless the person allowed it.
  func requireConfidential(_ deployment: Deployment) throws(Failure) {
    guard !deployment.isConfidential else { return }
    guard try !configuration().flag("allow-http", for: deployment) else { return }
    throw Failure(
      .fixTheInput, "http would send the token readably; only https serves \(deployment.name)",
      hint: "use https://\(deployment.name), or set allow-http=true for \(deployment.url) in the "
        + "configuration")
  }
}
