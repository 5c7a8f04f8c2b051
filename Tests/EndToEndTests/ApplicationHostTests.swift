import TestDesk
import Testing

/// Hosts of workspace applications: a header would reach a program in the workspace, a cookie does not.
@Suite(.blocking) struct `The host of an application` {
  private static let application = "https://8080--dev--ws--alice.apps.example.com"

  private func signIn(_ desk: Desk, _ setting: String) throws -> String {
    let token = desk.plant("token")
    let stored = try desk.run(
      ["store"],
      input: "capability[]=authtype\nauthtype=Bearer\ncredential=\(token)\nprotocol=https\n"
        + "host=dev.example.com\nusername=alice\n")
    #expect(stored.status == 0)
    try desk.write(setting, to: desk.configuration)
    return token
  }

  @Test func `that was allowed gets the token as a cookie`() throws {
    try Desk.with { desk in
      let token = try signIn(
        desk, "[https://dev.example.com]\napplication-hosts=*.apps.example.com *--x.example.com\n")
      let cookie = "coder_session_token=\(token)"
      for (format, output) in [
        ("cookie", "Cookie: \(cookie)\n"), ("coder", "Cookie=\(cookie)\n"),
        ("lines", "Cookie: \(cookie)\n"), ("json", "{\"Cookie\":\"\(cookie)\"}\n"),
      ] {
        for url in [Self.application, "\(Self.application)/path", "https://a--x.example.com"] {
          let result = try desk.run(["header", url, "--format", format])
          #expect(result.stdout == output && result.errors.isEmpty, "\(format): \(result.stderr)")
        }
      }
      let named = try desk.run(
        ["header", "--format", "json"],
        environment: ["CLAUDE_CODE_MCP_SERVER_URL": "\(Self.application)/mcp"])
      #expect(named.stdout == "{\"Cookie\":\"\(cookie)\"}\n")
      // The deployment itself takes a header.
      let own = try desk.run(["header", "https://dev.example.com"])
      #expect(own.stdout == "Authorization=Bearer \(token)\n")
    }
  }

  @Test func `gets nothing in a form that an application would see`() throws {
    try Desk.with { desk in
      _ = try signIn(desk, "[https://dev.example.com]\napplication-hosts=*.apps.example.com\n")
      for words in [
        ["token", Self.application], ["get", Self.application],
        ["api", "/", "--url", Self.application],
        ["exec", "--url", Self.application, "--", "env"],
      ] {
        #expect(try desk.run(words).status == 1, "\(words)")
      }
      let asked = try desk.run(["get"], input: "capability[]=authtype\nurl=\(Self.application)\n")
      expectSilence(asked)
    }
  }

  @Test(arguments: [
    "", "[coder-cred]\napplication-hosts=*.apps.example.com\n",
    "[https://dev.example.com]\napplication-hosts=*.com\n",
    "[https://dev.example.com]\napplication-hosts=*\n",
    "[https://dev.example.com]\napplication-hosts=apps.example.com *.apps.example.org\n",
    "[https://dev.example.com]\napplication-hosts=*.apps.example.com:8443\n",
    "[https://dev.example.com]\napplication-hosts=*.*.example.com\n",
    "[https://other.example]\napplication-hosts=*.apps.example.com\n",
    "[https://dev.example.com]\napplication-hosts=*.apps.example.com/x\n",
  ])
  func `gets nothing where nobody allowed it for this deployment`(setting: String) throws {
    try Desk.with { desk in
      _ = try signIn(desk, setting)
      for url in [Self.application, "https://apps.example.com", "https://a.b.apps.example.com"] {
        for format in ["cookie", "coder", "lines", "json"] {
          let result = try desk.run(["header", url, "--format", format])
          #expect(!desk.canary.isIn(result.output), "\(url)")
        }
      }
    }
  }
}
