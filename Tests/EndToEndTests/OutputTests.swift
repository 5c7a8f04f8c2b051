import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The output that tools rely on.
@Suite(.blocking) struct `Output` {
  @Test func `Every form of a credential is as documented`() throws {
    try Desk.with { desk in
      try desk.login()
      let token = try desk.token()
      let payload = try desk.desktop.item().payload
      let expiry = try #require(payload["expires_at"] as? Int)
      func output(_ arguments: String...) throws -> String {
        let result = try desk.run(arguments)
        #expect(result.status == 0 && result.messages.isEmpty, "\(arguments)")
        return result.stdout
      }
      let bearer = """
        capability[]=authtype
        authtype=Bearer
        credential=\(token)
        ephemeral=1
        username=alice
        password_expiry_utc=\(expiry)

        """
      #expect(try output("get", desk.url) == bearer)
      #expect(try output("get", desk.url, "--format", "git") == bearer)
      #expect(try output("token", desk.url, "--format", "git") == bearer)
      #expect(try output("get", desk.url, "--format", "token") == "\(token)\n")
      #expect(try output("token", desk.url) == "\(token)\n")
      #expect(try output("header", desk.url) == "Authorization=Bearer \(token)\n")
      #expect(
        try output("header", desk.url, "--format", "coder") == "Authorization=Bearer \(token)\n")
      #expect(
        try output("header", desk.url, "--format", "lines") == "Authorization: Bearer \(token)\n")
      #expect(
        try output("header", desk.url, "--format", "json")
          == "{\"Authorization\":\"Bearer \(token)\"}\n")
      #expect(
        try output("header", desk.url, "--format", "cookie")
          == "Cookie: coder_session_token=\(token)\n")
      let time = Date(timeIntervalSince1970: Double(expiry)).formatted(.iso8601)
      let json = """
        {"deployment":"\(desk.url)","account":"alice","token_type":"Bearer",\
        "access_token":"\(token)","expires_at":"\(time)"}

        """
      #expect(try output("get", desk.url, "--format", "json") == json)
      #expect(try output("--format", "json", "get", desk.url) == json)
      #expect(try output("--account=alice", "--min-ttl", "5", "token", desk.url) == "\(token)\n")
    }
  }

  @Test func `git's two forms follow the capability, and name no server`() throws {
    try Desk.with { desk in
      try desk.login()
      let token = try desk.token()
      let old = try desk.run(["get"], input: desk.request())
      let expiry = try #require(desk.desktop.item().payload["expires_at"] as? Int)
      #expect(
        old.lines == ["username=alice", "password=\(token)", "password_expiry_utc=\(expiry)"])
      let new = try desk.run(
        ["get"], input: desk.request("capability[]=authtype", "capability[]=state"))
      #expect(new.lines.first == "capability[]=authtype")
      for key in ["host", "protocol", "path", "url", "oauth_refresh_token"] {
        #expect(old[key] == nil && new[key] == nil, "\(key)")
      }
      let windows = desk.request().replacingOccurrences(of: "\n", with: "\r\n")
      let asked = try desk.run(["get"], input: windows)
      #expect(asked.output == old.output)
    }
  }

  @Test func `What is known without a keyring is told without one`() throws {
    try Desk.with(.withoutBus) { desk in
      let capability = try desk.run(["capability"])
      #expect(capability.stdout == "version 0\ncapability authtype\ncapability state\n")
      let version = try desk.run(["--version"])
      #expect(version.status == 0 && version.lines.count == 1)
      #expect(version.stdout.hasPrefix("coder-cred "))
      for arguments in [["--help"], ["help"], ["get", "--help"]] {
        let help = try desk.run(arguments)
        #expect(help.status == 0 && help.stdout.contains("USAGE:") && help.errors.isEmpty)
      }
      for arguments in [["frobnicate"], ["--account=alice", "frobnicate"], ["rotate"]] {
        expectSilence(try desk.run(arguments, input: "protocol=https\n\n"), "\(arguments)")
      }
    }
  }

  @Test func `Accounts of one deployment are told apart, and the last one signed in is meant`()
    throws
  {
    try Desk.with { desk in
      try desk.login(as: "alice")
      let alice = try desk.token()
      try desk.login(as: "bob")
      let bob = try desk.token("--account", "bob")
      for result in [
        try desk.run(["get", desk.url]), try desk.run(["get"], input: desk.request()),
      ] {
        #expect(result["username"] == "bob" && result.stdout.contains("=\(bob)\n"))
      }
      #expect(try desk.token() == bob)
      #expect(bob != alice && desk.deployment.isValid(accessToken: bob))
      #expect(try desk.token("--account", "alice") == alice)
      let named = try desk.run(
        ["get"], input: desk.request("username=bob"))
      #expect(named["username"] == "bob" && named["password"] == bob)
      expectFailure(try desk.run(["token", desk.url, "--account", "carol"]), 1)
      #expect(desk.deployment.registeredClients.count == 1)
      #expect(try desk.desktop.items().count == 3)
    }
  }

  @Test func `A deployment that is not named is found as documented`() throws {
    try Desk.with { desk in
      expectFailure(try desk.run(["token"]), 1, saying: "coder-cred login URL")
      expectFailure(try desk.run(["token", desk.url]), 1, saying: "coder-cred login \(desk.url)")
      try desk.login()
      let token = try desk.token()
      // A password kept for git is no deployment.
      expectSilence(
        try desk.run(
          ["store"],
          input: "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"))
      #expect(try desk.run(["token"]).lines == [token])

      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login(to: other.url)
      let several = try desk.run(["token"])
      expectFailure(several, 64, saying: desk.url)
      #expect(several.stderr.contains(other.url))
      let named = ["CODER_URL": desk.url]
      #expect(try desk.run(["token"], environment: named).lines == [token])
      try desk.configure("default-deployment=\(desk.url)")
      #expect(try desk.run(["token"]).lines == [token])
      let stronger = try desk.run(
        ["token"], environment: ["CODER_URL": other.url])
      #expect(other.isValid(accessToken: stronger.lines.first ?? ""))
      let strongest = try desk.run(
        ["token", desk.url], environment: ["CODER_URL": other.url])
      #expect(strongest.lines == [token])
    }
  }

  @Test func `list shows what is stored and until when, and never a secret`() throws {
    try Desk.with { desk in
      #expect(try desk.run(["list"]).output.isEmpty)
      #expect(try desk.run(["list", "--json"]).stdout == "[]\n")
      try desk.login()
      expectSilence(
        try desk.run(
          ["store"],
          input: "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"))
      let expiry = try #require(
        desk.desktop.item(["account": "alice"]).payload["expires_at"] as? Int)
      let time = Date(timeIntervalSince1970: Double(expiry)).formatted(.iso8601)
      let rows = try desk.run(["list"]).lines.map { $0.split(separator: " ").map(String.init) }
      #expect(
        rows == [
          ["DEPLOYMENT", "ACCOUNT", "METHOD", "STATE", "EXPIRES"],
          [desk.url, "alice", "oauth", "valid", time],
          ["https://git.example.com", "a", "basic", "valid", "-"],
        ])
      let json = try desk.run(["list", "--json"]).rows()
      #expect(json.map { $0["account"] as? String } == ["alice", "a"])
    }
  }

  @Test func `Without refreshing, only what the keyring holds is printed`() throws {
    try Desk.with { desk in
      try desk.login()
      let token = try desk.token()
      desk.deployment.clearLog()
      #expect(try desk.token("--no-refresh", "--min-ttl", "31536000") == token)
      try desk.run(["erase"], input: desk.request("username=alice", "password=\(token)"))
      expectFailure(try desk.run(["token", desk.url, "--no-refresh"]), 1, saying: "--no-refresh")
      #expect(desk.deployment.requests.isEmpty)
    }
  }
}
