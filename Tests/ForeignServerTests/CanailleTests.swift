import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking, .enabled(if: ForeignServer.areExpected, "\(ForeignServer.reason)"))
struct `Canaille` {
  @Test func `Discovery, registration, PKCE, refresh, a changed port and revocation`() throws {
    try Desk.with { desk in
      let server = try ForeignServer.canaille.start(at: desk)
      func login() throws {
        let result = try desk.run(
          ["login", server.url, "--scope", "openid profile", "--account", "alice"],
          environment: server.browser)
        #expect(result.status == 0, "\(result.stderr)")
        #expect(result.stderr.contains("Signed in to \(server.url) as alice."))
        #expect(result.stderr.contains("It granted: openid profile"))
      }
      func session() throws -> StoredItem { try #require(try desk.sessions().first) }
      func refresh() throws {
        try desk.age()
        let result = try desk.run(
          ["token", server.url], environment: ["CODER_CRED_TRACE": "1"])
        #expect(result.status == 0, "\(result.stderr)")
        // Within one second its tokens are alike.
        #expect(result.stderr.contains("POST \(server.url)/oauth/token answered HTTP 200"))
        #expect(try session()["refresh_token"] != nil)
      }
      try login()
      try refresh()
      let first = try #require(try session()["refresh_token"])

      let before = try desk.registration()
      let redirect = try #require(before["redirect_uris"])
      let listener = try LoopbackListener(port: #require(URLComponents(string: redirect)?.port))
      try login()
      listener.close()
      let client = try desk.registration()
      #expect(client["client_id"] == before["client_id"])
      #expect(client["redirect_uris"] != redirect)
      try refresh()

      // The grant of the first sign-in is revoked, and that of the second is not.
      let pair = try "\(#require(client["client_id"])):\(#require(client["client_secret"]))"
      let spent = try Exchange.post(
        #require(client["token_endpoint"]),
        form: [("grant_type", "refresh_token"), ("refresh_token", first)],
        headers: ["Authorization": "Basic \(Data(pair.utf8).base64EncodedString())"])
      #expect(spent.status == 400 && spent["error"] == "invalid_grant")
      try refresh()
    }
  }
}
