import DeploymentSimulator
import TestDesk
import Testing

/// One thing about a response that public reports tell of servers in the field, or a neighbour of it.
private struct Oddity: Sendable {
  let name: String
  let change: @Sendable (inout ScriptedResponse) -> Void

  init(_ name: String, _ change: @escaping @Sendable (inout ScriptedResponse) -> Void) {
    (self.name, self.change) = (name, change)
  }

  /// Members of the JSON body that are changed.
  static func members(_ patch: String) -> Oddity {
    Oddity(patch) { $0.setMembers(patch) }
  }

  /// Another status.
  static func status(_ status: Int) -> Oddity {
    Oddity("status \(status)") { $0.status = status }
  }

  /// Another media type.
  static func type(_ type: String?) -> Oddity {
    Oddity("type \(type ?? "none")") { $0["Content-Type"] = type }
  }

  /// A body that is changed as text.
  static func text(_ name: String, _ change: @escaping @Sendable (String) -> String) -> Oddity {
    Oddity(name) { $0.text = change($0.text) }
  }

  /// Further members of the JSON body.
  static func more(_ name: String, _ members: String) -> Oddity {
    text(name) { text in
      let end = text.lastIndex(of: "}") ?? text.endIndex
      return "\(text[..<end]),\(members)}"
    }
  }

  private static let long = String(repeating: "x", count: 9_000)

  static let tokenResponses: [Oddity] = [
    .members(#"{"error":""}"#), .members(#"{"error":null}"#), .members(#"{"error":{}}"#),
    .status(201), .status(202), .status(206), .type(nil), .type("text/html"),
    .type("application/json;charset=UTF-8;v=2"), .text("byte order mark") { "\u{FEFF}" + $0 },
    .text("blanks") { "\r\n\t " + $0 }, .text("a warning before") { "Notice: x in y:7\n\n" + $0 },
    Oddity("UTF-16") { $0.body = $0.text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } },
    Oddity("form") { $0.encodeAsForm() },
    Oddity("form as text") {
      $0.encodeAsForm()
      $0["Content-Type"] = "text/plain"
    },
    .members(#"{"token_type":null}"#), .members(#"{"token_type":"mac"}"#),
    .members(#"{"token_type":7}"#), .members(#"{"expires_in":-1,"expiry":null}"#),
    .members(#"{"expires_in":1e30}"#), .members(#"{"expires_in":"3600","scope":["a"]}"#),
    .members(#"{"id_token":"\#(long)"}"#),
    .more("a comma too many", ""), .more("repeated members", #""access_token":"","scope":7"#),
    Oddity("a longer length than its own") {
      $0.declaresLength = false
      $0["Content-Length"] = String($0.body.count + 9)
    },
    Oddity("no length") { $0.declaresLength = false },
  ]

  static let registrations: [Oddity] = [
    .members(#"{"redirect_uris":["http://localhost/callback"]}"#),
    .members(#"{"redirect_uris":["http://[::1]/callback"]}"#), .members(#"{"redirect_uris":[]}"#),
    .members(#"{"redirect_uris":"http://127.0.0.1/callback"}"#), .status(200), .status(202),
    .members(#"{"registration_access_token":"","registration_client_uri":""}"#),
    .members(#"{"registration_access_token":null,"registration_client_uri":null}"#),
    .members(#"{"client_secret_expires_at":"0","token_endpoint_auth_method":""}"#),
    .members(#"{"grant_types":{},"contacts":null,"client_name":7,"scope":[]}"#),
    .text("byte order mark") { "\u{FEFF}" + $0 },
  ]

  static let metadata: [Oddity] = [
    .members(#"{"scopes_supported":{"a":"b"}}"#), .members(#"{"scopes_supported":[1,null]}"#),
    .members(#"{"jwks_uri":7,"service_documentation":[]}"#), .status(203),
    .members(#"{"grant_types_supported":["authorization_code"]}"#),
    .members(#"{"grant_types_supported":null,"response_types_supported":null}"#),
    .type("application/x-www-form-urlencoded"), .type("text/html"), .type(nil),
    .text("byte order mark") { "\u{FEFF}" + $0 }, .text("blanks") { "\r\n" + $0 + "\n\n" },
    .more("repeated members", #""jwks_uri":"a","jwks_uri":"b""#),
  ]
}

/// The built programs sign in where other clients fail, and lose nothing of what a server gave.
@Suite(.blocking) struct `At an odd server` {
  @Test func `Tokens in whatever clothes make a session that goes on`() throws {
    try Desk.with { desk in
      for oddity in Oddity.tokenResponses {
        let change: @Sendable (inout ScriptedResponse, DeploymentSimulator.LoggedRequest) -> Void =
          {
            response, _ in oddity.change(&response)
          }
        desk.deployment.changeResponses(at: .exchange, times: 1, change)
        let signedIn = try desk.run(["login", desk.url], environment: desk.browser())
        #expect(signedIn.status == 0, "\(oddity.name): \(signedIn.stderr)")
        let first = try desk.token()

        desk.deployment.changeResponses(at: .refresh, times: 1, change)
        let refreshed = try desk.run(["refresh", desk.url])
        #expect(refreshed.status == 0, "\(oddity.name): \(refreshed.stderr)")
        #expect(try desk.token() != first, "\(oddity.name)")
        // What came with it is good, too.
        #expect(try desk.run(["refresh", desk.url]).status == 0, "\(oddity.name)")
      }
    }
  }

  @Test func `Long tokens are kept`() throws {
    try Desk.with { desk in
      desk.deployment.changeResponses(at: .refresh, times: 1) { response, _ in
        response.setMembers(#"{"access_token":"\#(String(repeating: "x", count: 20_000))"}"#)
      }
      try desk.login()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      #expect(try desk.run(["token", desk.url]).lines.first?.utf8.count == 20_000)
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      try desk.token()
    }
  }

  @Test func `Whatever a registration says besides, it makes a client`() throws {
    try Desk.with { desk in
      for oddity in Oddity.registrations {
        desk.deployment.changeResponses(at: .registration, times: 1) { response, _ in
          oddity.change(&response)
        }
        let signedIn = try desk.run(["login", desk.url], environment: desk.browser())
        #expect(signedIn.status == 0, "\(oddity.name): \(signedIn.stderr)")
        #expect(try desk.run(["refresh", desk.url]).status == 0, "\(oddity.name)")
        try desk.token()
        try desk.run(["logout", desk.url])
        #expect(try desk.desktop.items().isEmpty, "\(oddity.name)")
      }
    }
  }

  @Test func `What of the metadata is not used is not judged`() throws {
    try Desk.with { desk in
      for oddity in Oddity.metadata {
        desk.deployment.changeResponses(at: .metadata, times: 1) { response, _ in
          oddity.change(&response)
        }
        let signedIn = try desk.run(
          ["login", desk.url, "--method", "oauth"], environment: desk.browser())
        #expect(signedIn.status == 0, "\(oddity.name): \(signedIn.stderr)")
        desk.deployment.clearFaults()
      }
    }
  }

  @Test func `Whatever refuses a registration, the two ways on are named`() throws {
    let refusals = [
      ScriptedResponse(401, json: #"{"error":"invalid_token"}"#), ScriptedResponse(401),
      ScriptedResponse(404, json: #"{"message":"Route not found."}"#), ScriptedResponse(405),
      ScriptedResponse(403, json: #"{"error":"access_denied"}"#),
      ScriptedResponse(400, json: #"{"error":"unauthorized_client"}"#),
      ScriptedResponse(400, json: #"{"error":"invalid_redirect_uri"}"#),
      ScriptedResponse(409, json: #"{"message":"exists"}"#),
      ScriptedResponse(422, json: #"{"detail":[{"msg":"field required"}]}"#),
      ScriptedResponse(501),
    ]
    try Desk.with { desk in
      for refusal in refusals {
        desk.deployment.respond(at: .registration, with: refusal)
        let result = try desk.run(["login", desk.url], environment: desk.browser())
        #expect([76, 77].contains(result.status), "\(refusal.status): \(result.stderr)")
        let hint = result.message("hint")
        #expect(hint?.contains("--client-id") == true, "\(refusal.status)")
        #expect(hint?.contains("--method token") == true, "\(refusal.status)")
      }
      #expect(desk.deployment.authorizationRequests == 0)
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test(arguments: [
    (200, 0), (202, 0), (204, 0), (404, 0), (503, 0), (400, 0),
  ])
  func `Every success of a revocation is one, and what else came is made good otherwise`(
    _ status: Int, _ expected: Int32
  ) throws {
    try Desk.with { desk in
      try desk.login()
      desk.deployment.changeResponses(at: .revocation) { response, _ in response.status = status }
      let result = try desk.run(["logout", desk.url])
      #expect(result.status == expected, "\(status): \(result.stderr)")
      #expect(try desk.desktop.items().isEmpty)
      #expect(desk.deployment.liveTokenPairs == 0)
    }
  }

  @Test(arguments: [301, 307, 308])
  func `A token endpoint that redirects is said to`(_ status: Int) throws {
    try Desk.with { desk in
      desk.deployment.inject(
        .redirect(to: "\(desk.url)/oauth2/tokens/", status: status), at: .exchange, times: 9)
      let result = try desk.login(status: 76)
      #expect(result.message("error")?.contains("redirected (HTTP \(status))") == true)
      #expect(desk.deployment.requests.count(method: "POST", path: "/oauth2/tokens/") == 0)
    }
  }

  @Test func `No page of a portal or a proxy is taken for a verdict on the session`() throws {
    let page = [(name: "Content-Type", value: "text/html")]
    let portals = [
      ScriptedResponse(401, fields: page, body: Array("<html>".utf8)),
      ScriptedResponse(
        401, fields: page + [(name: "WWW-Authenticate", value: "Basic realm=portal")]),
      ScriptedResponse(302, fields: [(name: "Location", value: "http://192.0.2.1/")]),
      ScriptedResponse(200, fields: page, body: Array("<html>".utf8)),
      ScriptedResponse(511, fields: page, body: Array("<html>".utf8)),
    ]
    try Desk.withSession { desk in
      for portal in portals {
        // What `api` prints with a 200 is for its caller to judge.
        let api = portal.status == 200 ? [] : [["api", "/api/v2/users/me"]]
        for arguments in [["status", "--check"]] + api {
          desk.deployment.respond(at: .account, with: portal, portal, portal)
          let result = try desk.run(arguments)
          desk.deployment.clearFaults()
          #expect(
            [75, 76].contains(result.status), "\(portal.status) \(arguments): \(result.stderr)")
        }
      }
      #expect(desk.deployment.refreshes.isEmpty)
      try desk.token()
    }
  }
}
