import Credentials
import HTTP
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

/// What a deployment says to a refresh whose client it does not accept, or at an address that it has
/// left.
@Suite struct `Refreshes that the first response corrects` {
  private let bench = Bench()
  private let management = "\(deployment.url)/oauth2/clients/c"

  init() {
    bench.store.registration?.information = ClientRegistration(
      clientID: "c", clientSecret: Secret("old"), registrationAccessToken: Secret("rat"),
      registrationClientURI: management, redirectURIs: ["http://127.0.0.1:1/callback"],
      tokenEndpointAuthMethod: .clientSecretPost)
  }

  private static func json(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [HTTPField("Content-Type", "application/json")],
      body: Array(text.utf8))
  }

  private static let invalidClient = json(401, #"{"error":"invalid_client"}"#)

  private static func sent(_ request: HTTPRequest, _ text: String) -> Bool {
    String(decoding: request.body ?? [], as: UTF8.self).contains(text)
  }

  // The second is Keycloak's.
  @Test(arguments: ["invalid_client", "unauthorized_client"])
  func `A secret that the server replaced is taken, kept and used`(_ code: String) throws {
    let management = management
    bench.respond = { request throws(HTTPError) in
      if request.url == management {
        return Self.json(
          200, #"{"client_id":"c","client_secret":"new","registration_access_token":"rat2"}"#)
      }
      return Self.sent(request, "client_secret=new")
        ? FakeEndpoint.tokens("a2") : Self.json(401, #"{"error":"\#(code)"}"#)
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    let information = try #require(bench.store.registration?.information)
    #expect(information.clientSecret == Secret("new"))
    #expect(information.registrationAccessToken == Secret("rat2"))
    #expect(bench.store.session?.refreshToken == "r2")
  }

  @Test(arguments: [
    json(200, #"{"client_id":"c"}"#), json(404, #"{"message":"Route not found."}"#),
    HTTPResponse(status: 401, body: Array("<html>".utf8)), HTTPResponse(status: 503),
  ])
  func `A client that exists, or of which nobody can say so, keeps its sessions`(
    _ response: HTTPResponse
  ) throws {
    let management = management
    bench.respond = { request throws(HTTPError) in
      request.url == management ? response : Self.invalidClient
    }
    bench.clock.now += 700
    guard
      case .refusedUnclearly(_, .unavailable(status: 401, let reason?, _))? = bench.failure()
    else {
      Issue.record("the session goes on")
      return
    }
    #expect(reason.contains("invalid_client"))
    #expect(bench.store.session?.refreshToken == "r1")
    #expect(bench.store.session?.refreshingSince == nil)
    #expect(bench.store.registration != nil)
    // The server was wrong for a moment.
    bench.respond = { _ throws(HTTPError) in FakeEndpoint.tokens("a2") }
    #expect(try bench.valid().accessToken == "a2")
  }

  @Test(arguments: [false, true])
  func `A client that is gone takes its session along, unless it is another by now`(
    _ isReplaced: Bool
  ) {
    bench.respond = { [bench, management] request throws(HTTPError) in
      if isReplaced { bench.store.registration?.information = Bench.information("new") }
      return request.url == management
        ? Self.json(401, #"{"error":"invalid_token"}"#) : Self.invalidClient
    }
    #expect(bench.failure(3_000) == .signInNeeded(bench.identity, .refused))
    #expect((bench.store.registration == nil) == !isReplaced)
    #expect(bench.store.session?.refreshToken == nil)
  }

  private func metadata(_ tokenEndpoint: String) -> HTTPResponse {
    Self.json(
      200,
      """
      {"issuer":"\(deployment.url)","authorization_endpoint":"\(deployment.url)/a",
      "token_endpoint":"\(tokenEndpoint)","code_challenge_methods_supported":["S256"]}
      """)
  }

  @Test(arguments: [404, 405, 410, 307])
  func `A token endpoint that has moved is found again, once`(_ status: Int) throws {
    let moved = "\(deployment.url)/oauth2/token"
    let response = metadata(moved)
    bench.respond = { request throws(HTTPError) in
      if request.url.contains("/.well-known/") { return response }
      return request.url == moved
        ? FakeEndpoint.tokens("a2")
        : HTTPResponse(status: status, headers: [HTTPField("Location", "/elsewhere")])
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(bench.requests == 3)
    #expect(bench.store.registration?.tokenEndpoint == moved)
  }

  @Test(arguments: ["https://evil.test/oauth2/token", "\(deployment.url)/oauth2/tokens"])
  func `What has not moved, or has moved elsewhere, is sent no refresh token`(
    _ endpoint: String
  ) {
    let response = metadata(endpoint)
    bench.clock.now += 700
    var posts = 0
    bench.respond = { request throws(HTTPError) in
      if request.method == "POST" { posts += 1 }
      #expect(!request.url.contains("evil.test"))
      return request.url.hasSuffix("/oauth-authorization-server")
        ? response : HTTPResponse(status: 404)
    }
    #expect(bench.failure() != nil)
    #expect(posts == 1)
    #expect(bench.store.session?.refreshToken == "r1")
    #expect(bench.store.session?.refreshingSince == nil)
  }

  @Test func `A stored token endpoint that the settings no longer allow is sent nothing`() {
    bench.store.registration?.tokenEndpoint = "https://login.example/oauth2/tokens"
    bench.clock.now += 700
    guard case .oauth(.foreignEndpoint, _)? = bench.failure() else {
      Issue.record("the endpoint is checked before each use")
      return
    }
    #expect(bench.requests == 0)
    #expect(bench.store.session?.refreshToken == "r1")
    #expect(bench.store.session?.refreshingSince == nil)
  }

  @Test func `An odd response is kept and told`() throws {
    bench.respond = { _ throws(HTTPError) in
      HTTPResponse(
        status: 201, body: Array(#"{"access_token":"a2","token_type":"DPoP","error":""}"#.utf8))
    }
    #expect(try bench.valid(3_000).accessToken == "a2")
    #expect(
      bench.warnings == [
        .oddResponse(deployment, "the deployment issued a token of another type than Bearer")
      ])
  }
}
