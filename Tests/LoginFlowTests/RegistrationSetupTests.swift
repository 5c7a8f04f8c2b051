import Credentials
import HTTP
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

@testable import Login

/// Which client a sign-in goes with, seen in the requests it sends and in what the keyring holds.
@Suite struct RegistrationSetupTests {
  private static let path = "/oauth2/clients/c1"
  private let bench: LoginBench

  init() throws {
    bench = try LoginBench()
    bench.options.redirect = .scheme
  }

  /// Foresees a sign-in that succeeds from the authorization page on.
  private func expectConsent() {
    bench.prompt.queries = ["code=k1&state=STATE"]
    bench.expectExchange()
    bench.expectUser()
  }

  private func know(_ change: (inout StoredRegistration) -> Void = { _ in }) {
    var registration = bench.registration("c1")
    change(&registration)
    bench.store.registration = registration
  }

  private func expectNew() throws {
    bench.expectRegistration("c2")
    expectConsent()
    bench.http.on("DELETE", Self.path, 204)
    #expect(try bench.run().get().clientID == "c2")
    #expect(bench.http.isFinished && bench.store.registration?.clientID == "c2")
  }

  @Test func `A registration that fits is used, and not written again`() throws {
    know()
    bench.expectDiscovery()
    bench.http.on("GET", Self.path, 200, json: LoginBench.registration("c1"))
    expectConsent()
    let before = bench.store.registration
    #expect(try bench.run().get().clientID == "c1")
    #expect(bench.http.isFinished && bench.store.registration == before)
  }

  @Test func `A secret that the server has changed is kept at once`() {
    know()
    bench.expectDiscovery()
    bench.http.on(
      "GET", Self.path, 200,
      json: LoginBench.registration("c1").replacing("s-c1", with: "s-new"))
    bench.prompt.queries = ["error=access_denied&state=STATE"]
    #expect(bench.run() == .failure(.declined(reason: nil, signedIn: [])))
    #expect(bench.store.registration?.information.clientSecret == "s-new")
  }

  @Test func `A registration that the server has forgotten is replaced before the browser opens`()
    throws
  {
    know()
    bench.expectDiscovery()
    bench.http.on("GET", Self.path, 401, json: #"{"error":"invalid_token"}"#)
    // By either way of naming the client.
    for _ in 1...2 {
      bench.http.on("POST", "/oauth2/tokens", 401, json: #"{"error":"invalid_client"}"#)
    }
    try expectNew()
  }

  @Test(arguments: [true, false])
  func `A registration that the server refuses and cannot be asked about is replaced, too`(
    _ hasAddress: Bool
  ) throws {
    know {
      guard !hasAddress else { return }
      $0.information = ClientRegistration(
        clientID: "c1", clientSecret: Secret("s-c1"),
        redirectURIs: ["coder-cred://oauth/callback"], tokenEndpointAuthMethod: .clientSecretPost)
    }
    bench.expectDiscovery()
    if hasAddress { bench.http.on("GET", Self.path, 404, json: #"{"message":"Not here."}"#) }
    // Twice, each time by either way of naming the client.
    for _ in 1...4 {
      bench.http.on("POST", "/oauth2/tokens", 401, json: #"{"error":"invalid_client"}"#)
    }
    bench.expectRegistration("c2")
    expectConsent()
    if hasAddress { bench.http.on("DELETE", Self.path, 404) }
    #expect(try bench.run().get().clientID == "c2")
    #expect(bench.http.isFinished && bench.store.registration?.clientID == "c2")
  }

  @Test func `A server that refuses the client once is believed to be wrong for a moment`() throws {
    know()
    bench.expectDiscovery()
    bench.http.on("GET", Self.path, 503)
    for _ in 1...2 {
      bench.http.on("POST", "/oauth2/tokens", 401, json: #"{"error":"invalid_client"}"#)
    }
    bench.http.on("POST", "/oauth2/tokens", 400, json: #"{"error":"invalid_grant"}"#)
    expectConsent()
    #expect(try bench.run().get().clientID == "c1")
    #expect(bench.http.isFinished)
  }

  @Test func `A registration whose secret has expired, or of another issuer, is not used`()
    throws
  {
    for isExpired in [true, false] {
      let other = try Self()
      other.know {
        if !isExpired { $0.issuer = "https://other.coder.com" }
        let known = $0.information
        $0.information = ClientRegistration(
          clientID: known.clientID, clientSecret: known.clientSecret,
          clientSecretExpiresAt: isExpired ? other.bench.clock.now : nil,
          registrationAccessToken: known.registrationAccessToken,
          registrationClientURI: known.registrationClientURI, redirectURIs: known.redirectURIs,
          tokenEndpointAuthMethod: known.tokenEndpointAuthMethod)
      }
      other.bench.expectDiscovery()
      if isExpired { other.bench.http.on("GET", Self.path, 404) }
      try other.expectNew()
    }
  }

  @Test func `Another redirect URI is registered where the server lets us change it`() throws {
    know { $0.information = bench.registration("c1", redirectURI: "http://x/callback").information }
    bench.expectDiscovery()
    bench.http.on("GET", Self.path, 404)
    bench.http.on("PUT", Self.path, 200, json: LoginBench.registration("c1"))
    expectConsent()
    #expect(try bench.run().get().clientID == "c1")
    #expect(bench.http.isFinished)
    #expect(
      bench.store.registration?.information.redirectURIs == ["coder-cred://oauth/callback"])
  }

  @Test func `Where it may not be changed, a new client is registered`() throws {
    know { $0.information = bench.registration("c1", redirectURI: "http://x/callback").information }
    bench.expectDiscovery()
    bench.http.on("GET", Self.path, 404)
    bench.http.on("PUT", Self.path, 403)
    try expectNew()
  }

  @Test func `A change that could succeed later ends the sign-in, and leaves nothing behind`() {
    for status in [429, 503] {
      know {
        $0.information = bench.registration("c1", redirectURI: "http://x/callback").information
      }
      let before = bench.store.registration
      bench.expectDiscovery()
      bench.http.on("GET", Self.path, 404)
      bench.http.on("PUT", Self.path, status)
      guard case .failure(.oauth(.unavailable(status, _, _))) = bench.run() else {
        Issue.record("another outcome of \(status)")
        continue
      }
      #expect(bench.http.isFinished && bench.store.registration == before)
    }
  }

  @Test func `Where nobody may register, the known client is tried as it is`() throws {
    know { $0.information = bench.registration("c1", redirectURI: "http://x/callback").information }
    bench.expectDiscovery(registers: false)
    bench.http.on("GET", Self.path, 404)
    bench.http.on("PUT", Self.path, 404)
    expectConsent()
    #expect(try bench.run().get().clientID == "c1")
    #expect(bench.http.isFinished)
  }

  @Test func `An administrator's client is used as named, with the secret that is typed`() throws {
    bench.options.clientID = "admin"
    bench.prompt.clientSecret = "s-admin"
    bench.expectDiscovery()
    expectConsent()
    #expect(try bench.run().get().clientID == "admin")
    let information = bench.store.registration?.information
    #expect(information?.clientSecret == "s-admin" && information?.registrationClientURI == nil)
  }

  @Test func `A configured client's secret is asked for once`() throws {
    bench.options.configuredClientID = "admin"
    bench.prompt.clientSecret = "s-admin"
    bench.expectDiscovery()
    expectConsent()
    _ = try bench.run().get()
    bench.prompt.clientSecret = nil
    bench.expectDiscovery()
    expectConsent()
    _ = try bench.run().get()
    #expect(bench.http.isFinished)
    #expect(bench.store.registration?.information.clientSecret == "s-admin")
  }

  @Test func `An empty answer keeps the secret that is known`() throws {
    know { $0.information = Self.admin }
    bench.options.clientID = "admin"
    bench.prompt.clientSecret = ""
    bench.expectDiscovery()
    expectConsent()
    _ = try bench.run().get()
    #expect(bench.store.registration?.information.clientSecret == "kept")
  }

  private static let admin = ClientRegistration(
    clientID: "admin", clientSecret: "kept", redirectURIs: [],
    tokenEndpointAuthMethod: .clientSecretPost)

  @Test func `A client or secret that is not one word is refused before anything is sent with it`()
    throws
  {
    for (id, secret) in [("ad min", "s"), ("admin", "a b"), ("admin", "s\n")] {
      bench.options.clientID = id
      bench.prompt.clientSecret = Secret(secret)
      bench.expectDiscovery()
      #expect(bench.run() == .failure(.malformedClient))
      #expect(bench.http.isFinished)
    }
  }
}
