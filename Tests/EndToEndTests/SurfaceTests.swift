import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The names and the forms of answers that tools rely on.
@Suite struct `The commands` {
  @Test func `Every form of an answer is as documented`() throws {
    try Desk.with { desk in
      try desk.signIn()
      let token = try desk.token()
      let payload = try desk.item().payload
      let expiry = try #require(payload["expires_at"] as? Int)
      func answer(_ arguments: String...) throws -> String {
        let result = try desk.run(arguments, mayAnswer: true)
        #expect(result.status == 0 && result.complaints.isEmpty, "\(arguments)")
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
      #expect(try answer("get", desk.url) == bearer)
      #expect(try answer("get", desk.url, "--format", "git") == bearer)
      #expect(try answer("token", desk.url, "--format", "git") == bearer)
      #expect(try answer("get", desk.url, "--format", "token") == "\(token)\n")
      #expect(try answer("token", desk.url) == "\(token)\n")
      #expect(try answer("header", desk.url) == "Authorization=Bearer \(token)\n")
      #expect(
        try answer("header", desk.url, "--format", "coder") == "Authorization=Bearer \(token)\n")
      #expect(
        try answer("header", desk.url, "--format", "lines") == "Authorization: Bearer \(token)\n")
      #expect(
        try answer("header", desk.url, "--format", "json")
          == "{\"Authorization\":\"Bearer \(token)\"}\n")
      #expect(
        try answer("header", desk.url, "--format", "cookie")
          == "Cookie: coder_session_token=\(token)\n")
      let time = Date(timeIntervalSince1970: Double(expiry)).formatted(.iso8601)
      let json = """
        {"deployment":"\(desk.url)","account":"alice","token_type":"Bearer",\
        "access_token":"\(token)","expires_at":"\(time)"}

        """
      #expect(try answer("get", desk.url, "--format", "json") == json)
      #expect(try answer("--format", "json", "get", desk.url) == json)
      #expect(try answer("--account=alice", "--min-ttl", "5", "token", desk.url) == "\(token)\n")
    }
  }

  @Test func `git's two forms follow the capability, and name no server`() throws {
    try Desk.with { desk in
      try desk.signIn()
      let token = try desk.token()
      let old = try desk.run(["get"], input: desk.request(), mayAnswer: true)
      let expiry = try #require(desk.item().payload["expires_at"] as? Int)
      #expect(
        old.answer == ["username=alice", "password=\(token)", "password_expiry_utc=\(expiry)"])
      let new = try desk.run(
        ["get"], input: desk.request("capability[]=authtype", "capability[]=state"),
        mayAnswer: true)
      #expect(new.answer.first == "capability[]=authtype")
      for key in ["host", "protocol", "path", "url", "oauth_refresh_token"] {
        #expect(old[key] == nil && new[key] == nil, "\(key)")
      }
      let windows = desk.request().replacingOccurrences(of: "\n", with: "\r\n")
      let asked = try desk.run(["get"], input: windows, mayAnswer: true)
      #expect(asked.output == old.output)
    }
  }

  @Test func `What is known without a keyring is told without one`() throws {
    try Desk.with(.withoutBus) { desk in
      let capability = try desk.run(["capability"])
      #expect(capability.stdout == "version 0\ncapability authtype\ncapability state\n")
      let version = try desk.run(["--version"])
      #expect(version.status == 0 && version.answer.count == 1)
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

  @Test func `Accounts of one deployment are told apart, or asked about`() throws {
    try Desk.with { desk in
      try desk.signIn("alice")
      let alice = try desk.token()
      try desk.signIn("bob")
      for result in [
        try desk.run(["get", desk.url]), try desk.run(["token", desk.url]),
        try desk.run(["get"], input: desk.request()),
      ] {
        expectFailure(result, 64, saying: "alice, bob")
      }
      let bob = try desk.token("--account", "bob")
      #expect(bob != alice && desk.deployment.isValid(accessToken: bob))
      #expect(try desk.token("--account", "alice") == alice)
      let named = try desk.run(
        ["get"], input: desk.request("username=bob"), mayAnswer: true)
      #expect(named["username"] == "bob" && named["password"] == bob)
      expectFailure(try desk.run(["token", desk.url, "--account", "carol"]), 1)
      #expect(desk.deployment.registeredClients.count == 1)
      #expect(try desk.items().count == 3)
    }
  }

  @Test func `A deployment that is not named is found as documented`() throws {
    try Desk.with { desk in
      expectFailure(try desk.run(["token"]), 1, saying: "coder-cred login URL")
      expectFailure(try desk.run(["token", desk.url]), 1, saying: "coder-cred login \(desk.url)")
      try desk.signIn()
      let token = try desk.token()
      // A password kept for git is no deployment.
      expectSilence(
        try desk.run(
          ["store"],
          input: "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"))
      #expect(try desk.run(["token"], mayAnswer: true).answer == [token])

      var settings = DeploymentSimulator.Settings()
      settings.canary = desk.canary.word
      let other = try DeploymentSimulator(settings)
      defer { other.stop() }
      let login = try desk.run(["login", other.url], environment: desk.browser())
      #expect(login.status == 0, "\(login.stderr)")
      let several = try desk.run(["token"])
      expectFailure(several, 64, saying: desk.url)
      #expect(several.stderr.contains(other.url))
      let named = ["CODER_URL": desk.url]
      #expect(try desk.run(["token"], environment: named, mayAnswer: true).answer == [token])
      try desk.configure("default-deployment=\(desk.url)")
      #expect(try desk.run(["token"], mayAnswer: true).answer == [token])
      let stronger = try desk.run(
        ["token"], environment: ["CODER_URL": other.url], mayAnswer: true)
      #expect(other.isValid(accessToken: stronger.answer.first ?? ""))
      let strongest = try desk.run(
        ["token", desk.url], environment: ["CODER_URL": other.url], mayAnswer: true)
      #expect(strongest.answer == [token])
    }
  }

  @Test func `list shows what is stored and until when, and never a secret`() throws {
    try Desk.with { desk in
      #expect(try desk.run(["list"]).output.isEmpty)
      #expect(try desk.run(["list", "--json"]).stdout == "[]\n")
      try desk.signIn()
      expectSilence(
        try desk.run(
          ["store"],
          input: "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"))
      let expiry = try #require(desk.item(["account": "alice"]).payload["expires_at"] as? Int)
      let time = Date(timeIntervalSince1970: Double(expiry)).formatted(.iso8601)
      let rows = try desk.run(["list"]).answer.map { $0.split(separator: " ").map(String.init) }
      #expect(
        rows == [
          ["DEPLOYMENT", "ACCOUNT", "METHOD", "STATE", "EXPIRES"],
          [desk.url, "alice", "oauth", "valid", time],
          ["https://git.example.com", "a", "basic", "valid", "-"],
        ])
      let json = try desk.run(["list", "--json"]).output
      let list = try #require(
        try JSONSerialization.jsonObject(with: Data(json)) as? [[String: Any]])
      #expect(list.map { $0["account"] as? String } == ["alice", "a"])
    }
  }

  @Test func `Without refreshing, only what the keyring holds is answered`() throws {
    try Desk.with { desk in
      try desk.signIn()
      let token = try desk.token()
      desk.deployment.clearLog()
      #expect(try desk.token("--no-refresh", "--min-ttl", "31536000") == token)
      try desk.run(["erase"], input: desk.request("username=alice", "password=\(token)"))
      expectFailure(try desk.run(["token", desk.url, "--no-refresh"]), 1, saying: "--no-refresh")
      #expect(desk.deployment.requests.isEmpty)
    }
  }
}
