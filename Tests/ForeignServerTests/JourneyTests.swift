import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Whole sessions, from the sign-in to the sign-out.
@Suite(.blocking, .enabled(if: ForeignServer.areExpected, "\(ForeignServer.reason)"))
struct `At a server of others` {
  @Test(arguments: ForeignServer.allCases)
  func `Sign-in, lookup, refresh, a crowd at expiry and sign-out`(_ foreign: ForeignServer) throws {
    try Desk.with { desk in
      let session = try ServerSession(at: desk, foreign)
      let token = try session.token()
      let git = try desk.run(["get"], input: session.request("capability[]=authtype"))
      #expect(git["credential"] == token && git["username"] == "alice")

      // Within one second some servers' tokens are alike: what was sent counts.
      let endpoint = try session.tokenEndpoint
      try desk.age()
      let refresh = try desk.run(["token", session.url], environment: ["CODER_CRED_TRACE": "1"])
      #expect(refresh.status == 0, "\(refresh.stderr)")
      #expect(refresh.stderr.contains("POST \(endpoint) answered HTTP 200"))

      try desk.expire()
      let crowd = try concurrently(20) { try desk.runPatiently(["token", session.url]) }
      #expect(crowd.allSatisfy { $0.status == 0 && $0.errors.isEmpty })
      #expect(Set(crowd.map(\.stdout)).count == 1)
      // Had the crowd sent a refresh token twice, the server would have revoked what came of it.
      try desk.age()
      try session.token()

      let signedOut = try desk.run(["logout", session.url])
      #expect(signedOut.status == 0, "\(signedOut.stderr)")
      #expect(signedOut.stderr == "Signed out of \(session.url) as alice.\n")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test(arguments: [ForeignServer.djangoOAuthToolkit, .glewlwyd])
  func `A refresh token used twice ends the session, and a new sign-in is named`(
    _ foreign: ForeignServer
  ) throws {
    try Desk.with { desk in
      let session = try ServerSession(at: desk, foreign)
      let spent = try session.stored("refresh_token")
      try desk.age()
      try session.token()
      #expect(try session.stored("refresh_token") != spent)

      // Somebody else has it.
      #expect(try session.refresh(with: spent).status == 400)
      try desk.expire()
      let ended = try desk.run(["token", session.url])
      // Glewlwyd refuses without a word, which ends nothing.
      #expect(ended.status == (foreign == .glewlwyd ? 75 : 1))
      #expect(ended.stderr.contains("coder-cred login \(session.url)"))
      try session.signIn()
      try session.token()
    }
  }
}

/// A session at a server, as alice.
private struct ServerSession {
  let desk: Desk
  let foreign: ForeignServer
  let url: String
  private let browser: [String: String]

  init(at desk: Desk, _ foreign: ForeignServer) throws {
    self.desk = desk
    self.foreign = foreign
    (url, browser) = try foreign.start(at: desk)
    try signIn()
  }

  func signIn() throws {
    let result = try desk.run(
      ["login", url, "--scope", foreign.scope, "--account", "alice"], environment: browser)
    try #require(result.status == 0, "\(result.stderr)")
    #expect(result.stderr.contains("Signed in to \(url) as alice."))
  }

  @discardableResult
  func token() throws -> String {
    let result = try desk.run(["token", url])
    #expect(result.status == 0, "\(result.stderr)")
    return try #require(result.lines.first)
  }

  func request(_ more: String...) -> String {
    (["url=\(url)"] + more).map { $0 + "\n" }.joined() + "\n"
  }

  func stored(_ name: String) throws -> String {
    try #require(try desk.sessions().first?[name])
  }

  var tokenEndpoint: String {
    get throws { try #require(try desk.registration()["token_endpoint"]) }
  }

  /// What the server says to a refresh token.
  func refresh(with token: String) throws -> Exchange {
    let client = try desk.registration()
    let pair = try "\(#require(client["client_id"])):\(#require(client["client_secret"]))"
    return try Exchange.post(
      tokenEndpoint,
      form: [("grant_type", "refresh_token"), ("refresh_token", token)],
      headers: ["Authorization": "Basic \(Data(pair.utf8).base64EncodedString())"])
  }
}
