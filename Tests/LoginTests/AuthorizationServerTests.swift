import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Canaille, an authorization server that nobody here wrote, with its script of a browser.
private struct AuthorizationServer {
  static let python = "\(cache)/coder-cred/authorization-server/bin/python3"
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("authorization-server.py").path
  private static var cache: String {
    let environment = ProcessInfo.processInfo.environment
    return environment["XDG_CACHE_HOME"] ?? "\(environment["HOME"] ?? "")/.cache"
  }

  /// Where it was installed, or must have been.
  static var isExpected: Bool {
    FileManager.default.isExecutableFile(atPath: python)
      || ProcessInfo.processInfo.environment["CI"] != nil
  }

  let url: String
  let browser: [String: String]

  init(_ desk: Desk) throws {
    let file = "\(desk.session.directory)/server"
    _ = try desk.session.start(
      Self.python, [Self.script, "serve", file], log: "\(desk.session.directory)/server.log")
    wait(seconds: 30, for: "the server") { FileManager.default.fileExists(atPath: file) }
    url = try String(contentsOfFile: file, encoding: .utf8)
    browser = try desk.script(
      "browser", "exec '\(Self.python)' '\(Self.script)' browse \"$1\"")
  }
}

@Suite(.enabled(if: AuthorizationServer.isExpected, "packaging/setup installs it"))
struct `A server of others` {
  @Test func `Discovery, registration, PKCE, refresh, a changed port and revocation`() throws {
    try Desk.with { desk in
      let server = try AuthorizationServer(desk)
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
        let result = try desk.run(
          ["token", server.url, "--min-ttl", "31536000"], environment: ["CODER_CRED_TRACE": "1"])
        #expect(result.status == 0, "\(result.stderr)")
        // Within one second its tokens are alike.
        #expect(result.stderr.contains("POST \(server.url)/oauth/token answered HTTP 200"))
        #expect(try session()["refresh_token"] as? String != nil)
      }
      try login()
      try refresh()
      let first = try #require(try session()["refresh_token"] as? String)

      let before = try desk.client()
      let redirect = try #require(before["redirect_uris"] as? String)
      let squatter = try Listener(port: #require(URLComponents(string: redirect)?.port))
      try login()
      squatter.close()
      let client = try desk.client()
      #expect(client["client_id"] as? String == before["client_id"] as? String)
      #expect(client["redirect_uris"] as? String != redirect)
      try refresh()

      // The grant of the first sign-in is revoked, and that of the second is not.
      let spent = try Exchange.post(
        #require(client["token_endpoint"] as? String),
        form: [
          ("grant_type", "refresh_token"), ("refresh_token", first),
          ("client_id", #require(client["client_id"] as? String)),
          ("client_secret", #require(client["client_secret"] as? String)),
        ])
      #expect(spent.status == 400 && spent["error"] == "invalid_grant")
      try refresh()
    }
  }
}
