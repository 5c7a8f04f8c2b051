import Credentials
import Foundation
import HTTP
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

@testable import Login

/// A person with a browser, as a test has them. A question that the test did not foresee is an
/// issue, and gets no answer.
final class ScriptedPrompt: LoginPrompt {
  var canAsk = false
  var hasBrowser = true
  /// The way that the person prefers; nil when they are not to be asked.
  var preferredMethod: LoginOptions.Method?
  /// The tokens that the person pastes, one after the other.
  var tokens: [Secret] = []
  /// What the person says while another sign-in is waited for.
  var waitingChoice: WaitingChoice?
  /// The secret of the administrator's client.
  var clientSecret: Secret?
  /// Whether the person keeps a sign-in of another account; nil when they are not to be asked.
  var keepsAnswer: Bool?
  /// What the browser comes back with, one query for each page shown; `STATE` in it becomes the
  /// page's own state.
  var queries: [String] = []
  private(set) var events: [LoginEvent] = []
  private(set) var pages: [AuthorizationPage] = []
  /// The codes that were shown.
  private(set) var codes: [String] = []
  private(set) var stops = 0

  func tell(_ event: LoginEvent) { events.append(event) }

  func chooseMethod(
    _ methods: [LoginOptions.Method]
  ) throws(LoginError) -> LoginOptions.Method {
    guard let preferredMethod else {
      Issue.record("the person is not to be asked for the method")
      throw .unusableInput(reason: "unforeseen")
    }
    #expect(methods.contains(preferredMethod))
    return preferredMethod
  }

  func askForToken(of place: Deployment, isRepeated: Bool) throws(LoginError) -> Secret? {
    guard !tokens.isEmpty else {
      Issue.record("the person is not to be asked for a token")
      return nil
    }
    return tokens.removeFirst()
  }

  func saysWhileWaiting() -> WaitingChoice? { waitingChoice }

  func askForClientSecret(isKnown: Bool) throws(LoginError) -> Secret {
    guard let clientSecret else {
      Issue.record("the person is not to be asked for a client's secret")
      throw .unusableInput(reason: "unforeseen")
    }
    return clientSecret
  }

  func keeps(account: String, beside former: [String], isInterrupted: () -> Bool) -> Bool {
    if keepsAnswer == nil { Issue.record("the person is not to be asked about \(account)") }
    return keepsAnswer ?? false
  }

  func show(_ page: AuthorizationPage) throws(LoginError) -> [any LoginEventSource] {
    pages.append(page)
    guard !queries.isEmpty else {
      Issue.record("nobody is to be sent to a browser")
      throw .unusableInput(reason: "unforeseen")
    }
    let state = URLComponents(string: page.url)?.queryItems?.first { $0.name == "state" }?.value
    return [Arrival(query: queries.removeFirst().replacing("STATE", with: state ?? "none"))]
  }

  func show(_ page: DevicePage) throws(LoginError) -> [any LoginEventSource] {
    codes.append(page.userCode)
    return []
  }

  func stopWaiting(_ sources: [any LoginEventSource]) { stops += 1 }

  /// The browser's response, ready at once.
  private final class Arrival: LoginEventSource {
    private let query: String
    private let ticker = Ticker(milliseconds: 1)

    init(query: String) { self.query = query }

    var descriptor: Int32? { ticker.descriptor }

    func advance(
      _ expected: AuthorizationResponse.Expectation
    ) -> Result<AuthorizationResponse, OAuthError>? {
      Result(query: query, expected: expected)
    }
  }
}

/// A sign-in on fakes: an empty keyring, a scripted server, a scripted person.
final class LoginBench {
  let store = MemoryStore()
  let clock = FakeClock()
  let http = ScriptedClient()
  let prompt = ScriptedPrompt()
  /// The server in place of the scripted one, if there is one.
  var server: FakeEndpoint?
  /// Whether there may be something to warn of.
  var mayWarn = false
  var options = LoginOptions()
  private let parent = NSTemporaryDirectory() + "login-\(UUID().uuidString)"

  init() throws {
    store.expected = [.unlock]
    options.method = .oauth
    options.browserTimeoutSeconds = 10
    try FileManager.default.createDirectory(
      atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit {
    try? FileManager.default.removeItem(atPath: parent)
  }

  var services: SessionServices {
    let client: any HTTPClient = server ?? http
    return SessionServices(
      store: store, lock: FreeLock(), history: MemoryHistory(), clock: clock,
      policy: { place throws(OAuthError) in try EndpointPolicy(deployment: place.url) },
      client: { _, _ in client },
      warn: { [mayWarn] in
        if !mayWarn { Issue.record("a sign-in has nothing to warn of: \($0)") }
      }, trace: { _ in })
  }

  var flow: LoginFlow {
    LoginFlow(
      services: services, prompt: prompt, deployment: deployment, options: options,
      directory: RuntimeDirectory(parents: [parent]), clientName: "coder-cred on a test")
  }

  /// Signs in; the error is the outcome, too.
  func run() -> Result<StoredSession, LoginError> {
    do throws(LoginError) { return .success(try flow.run()) } catch { return .failure(error) }
  }

  /// The server's metadata, with or without registration.
  static func metadata(registers: Bool = true) -> String {
    let url = deployment.url
    let registration =
      registers ? #""registration_endpoint":"\#(url)/oauth2/register","# : ""
    return #"{"issuer":"\#(url)","authorization_endpoint":"\#(url)/oauth2/authorize","#
      + #""token_endpoint":"\#(url)/oauth2/tokens","revocation_endpoint":"\#(url)/oauth2/revoke","#
      + registration
      + #""response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"#
      + #""grant_types_supported":["authorization_code","refresh_token"],"#
      + #""token_endpoint_auth_methods_supported":["client_secret_post","none"]}"#
  }

  /// Foresees the question for the metadata.
  func expectDiscovery(registers: Bool = true) {
    http.on(
      "GET", "/.well-known/oauth-authorization-server", 200,
      json: Self.metadata(registers: registers))
  }

  /// Foresees a registration as the client named `id`.
  func expectRegistration(_ id: String = "c1") {
    http.on("POST", "/oauth2/register", 201, json: Self.registration(id))
  }

  /// What the server says of a client; the redirect URIs are left out, so that those asked for
  /// stand.
  static func registration(_ id: String) -> String {
    #"{"client_id":"\#(id)","client_secret":"s-\#(id)","registration_access_token":"rat-\#(id)","#
      + #""registration_client_uri":"\#(deployment.url)/oauth2/clients/\#(id)","#
      + #""token_endpoint_auth_method":"client_secret_post"}"#
  }

  /// Foresees the exchange of a code for the tokens `access` and `refresh`.
  func expectExchange(_ access: String = "a1", refresh: String = "r1") {
    http.on(
      "POST", "/oauth2/tokens", 200,
      json: #"{"access_token":"\#(access)","token_type":"Bearer","expires_in":3600,"#
        + #""refresh_token":"\#(refresh)"}"#)
  }

  /// Foresees the question whether a deployment is here.
  func expectBuildInformation() {
    http.on("GET", "/api/v2/buildinfo", 200, json: #"{"version":"v2.38.0"}"#)
  }

  /// Foresees the question whose the token is.
  func expectUser(_ name: String = "alice") {
    http.on("GET", "/api/v2/users/me", 200, json: #"{"username":"\#(name)"}"#)
  }

  /// Foresees a revocation.
  func expectRevocation() { http.on("POST", "/oauth2/revoke", 200) }

  /// The registration of a client that this machine made earlier.
  func registration(_ id: String, redirectURI: String = "coder-cred://oauth/callback")
    -> StoredRegistration
  {
    StoredRegistration(
      deployment: deployment,
      information: ClientRegistration(
        clientID: id, clientSecret: Secret("s-\(id)"), registrationAccessToken: Secret("rat-\(id)"),
        registrationClientURI: "\(deployment.url)/oauth2/clients/\(id)",
        redirectURIs: [redirectURI], tokenEndpointAuthMethod: .clientSecretPost),
      issuer: deployment.url, tokenEndpoint: "\(deployment.url)/oauth2/tokens",
      revocationEndpoint: "\(deployment.url)/oauth2/revoke")
  }

  /// A session kept from before.
  @discardableResult
  func keep(
    _ account: String, _ method: StoredSession.Method = .oauth, client: String = "c1"
  ) -> StoredSession {
    var session = StoredSession(
      deployment: deployment, account: account, method: method, accessToken: Secret("a0-\(account)")
    )
    session.refreshToken = method == .oauth ? Secret("r0-\(account)") : nil
    session.clientID = client
    session.signedInAt = clock.now - 86_400
    store.sessions.append(session)
    return session
  }
}
