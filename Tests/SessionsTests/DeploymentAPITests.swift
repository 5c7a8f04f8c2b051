import Credentials
import HTTP
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

@Suite struct DeploymentAPITests {
  private let client = ScriptedClient()
  private let api: DeploymentAPI

  init() throws {
    api = DeploymentAPI(policy: try EndpointPolicy(deployment: deployment.url), client: client)
  }

  private static let page = HTTPResponse(
    status: 200, headers: [HTTPField("Content-Type", "text/html")], body: Array("<p>".utf8))

  @Test(
    arguments: [
      (200, #"{"username":"alice"}"#, .works(account: "alice")),
      (200, #"{"username":""}"#, .works(account: nil)),
      (200, #"{"username":"al ice"}"#, .works(account: nil)),
      (200, #"{"username":"a\nb"}"#, .works(account: nil)),
      (200, "[]", .works(account: nil)),
      (401, "{}", .rejected), (403, "{}", .unclear(status: 403)),
      (404, "{}", .unclear(status: 404)),
      (429, "{}", .noResponse(.unexpected(status: 429))),
      (503, "{}", .noResponse(.unexpected(status: 503))),
      (302, "{}", .noResponse(.unexpected(status: 302))),
    ] as [(Int, String, DeploymentAPI.TokenCheck)])
  func `Each response to the question whose a token is means one thing`(
    status: Int, body: String, expected: DeploymentAPI.TokenCheck
  ) {
    client.on("GET", "/api/v2/users/me", status, json: body)
    #expect(api.check("t") == expected)
    #expect(client.requests[0].headers.contains(HTTPField("Authorization", "Bearer t")))
  }

  @Test func `A name of 256 bytes is one, and of 257 is none`() {
    for (length, isName) in [(256, true), (257, false)] {
      let name = String(repeating: "a", count: length)
      client.on("GET", "/api/v2/users/me", 200, json: #"{"username":"\#(name)"}"#)
      #expect(api.check("t") == .works(account: isName ? name : nil))
    }
  }

  @Test func `A portal's page says nothing about a token, and neither does a lost connection`() {
    client.on("GET", "/api/v2/users/me", .success(Self.page))
    #expect(api.check("t") == .noResponse(.unexpected(status: 200)))
    client.on("GET", "/api/v2/users/me", .failure(.timedOut(reason: "x")))
    #expect(api.check("t") == .noResponse(.oauth(.transport(.timedOut(reason: "x")))))
  }

  @Test(
    arguments: [
      (200, .ended), (401, .rejected), (404, .unsupported(status: 404)),
      (403, .unsupported(status: 403)), (408, .noResponse(.unexpected(status: 408))),
      (429, .noResponse(.unexpected(status: 429))), (500, .noResponse(.unexpected(status: 500))),
    ] as [(Int, DeploymentAPI.ServerLogout)])
  func `Each response to the sign-out means one thing`(
    status: Int, expected: DeploymentAPI.ServerLogout
  ) {
    client.on("POST", "/api/v2/users/logout", status)
    #expect(api.logout("t") == expected)
  }

  @Test func `A portal's page has ended nothing`() {
    client.on("POST", "/api/v2/users/logout", .success(Self.page))
    #expect(api.logout("t") == .noResponse(.unexpected(status: 200)))
    client.on("POST", "/api/v2/users/logout", .failure(.unreachable(reason: "x")))
    #expect(api.logout("t") == .noResponse(.oauth(.transport(.unreachable(reason: "x")))))
  }

  @Test func `The version is what the deployment says, if it is short enough`() {
    for (status, body, expected) in [
      (200, #"{"version":"v2.38.0"}"#, "v2.38.0"), (404, #"{"version":"v1"}"#, nil),
      (200, "<p>", nil),
      (200, #"{"version":"\#(String(repeating: "v", count: 101))"}"#, nil),
    ] as [(Int, String, String?)] {
      client.on("GET", "/api/v2/buildinfo", status, json: body)
      #expect(api.version() == expected)
    }
  }
}
