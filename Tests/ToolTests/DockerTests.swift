import Foundation
import TestDesk
import Testing

/// What docker's client says to a credential helper, word by word.
@Suite(.blocking) struct `docker's credential helper` {
  private func helper(
    _ desk: Desk, _ words: String..., input: String = ""
  ) throws -> CommandResult {
    try desk.run("\(desk.directory)/bin/docker-credential-coder-cred", words, input: input)
  }

  @Test func `keeps, gives, lists and erases what docker logs in with`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      let secret = desk.plant(#" "q" \ ü"#)
      let login = try JSONSerialization.data(
        withJSONObject: ["ServerURL": "registry:5000", "Username": "bob", "Secret": secret])
      expectSilence(try helper(desk, "store", input: String(decoding: login, as: UTF8.self)))
      for name in [
        "registry:5000", "https://registry:5000", "http://registry:5000", "REGISTRY:5000\n",
      ] {
        let got = try helper(desk, "get", input: name)
        #expect(got.status == 0 && got.errors.isEmpty, "\(got)")
        let object = try got.object()
        #expect(object["ServerURL"] as? String == name.trimmingCharacters(in: .newlines))
        #expect(object["Username"] as? String == "bob" && object["Secret"] as? String == secret)
      }
      let list = try helper(desk, "list")
      #expect(try list.object() as? [String: String] == ["registry:5000": "bob"])
      // A new login takes the old one's place.
      let other = #"{"ServerURL":"registry:5000","Username":"eve","Secret":"\#(desk.plant())"}"#
      expectSilence(try helper(desk, "store", input: other))
      #expect(try helper(desk, "list").object() as? [String: String] == ["registry:5000": "eve"])
      let hub = "https://index.docker.io/v1/"
      let stored = #"{"ServerURL":"\#(hub)","Username":"bob","Secret":"\#(desk.plant())"}"#
      expectSilence(try helper(desk, "store", input: stored))
      #expect(
        try helper(desk, "list").object() as? [String: String]
          == ["registry:5000": "eve", hub: "bob"])
      for token in ["refresh-token", "access-token"] {
        #expect(try helper(desk, "get", input: hub + token).status == 1)
      }
      expectSilence(try helper(desk, "erase", input: hub))
      // docker's logout erases by four names.
      for name in [
        "registry:5000", "registry:5000", "http://registry:5000", "https://registry:5000",
      ] {
        expectSilence(try helper(desk, "erase", input: name), name)
      }
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `speaks docker's own words for what is not there`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      func expect(
        _ result: CommandResult, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
      ) {
        #expect(result.status == 1 && result.errors.isEmpty, sourceLocation: sourceLocation)
        #expect(result.stdout == words + "\n", sourceLocation: sourceLocation)
      }
      for name in ["registry:5000", "https://index.docker.io/v1/", "http://registry"] {
        expect(try helper(desk, "get", input: name), "credentials not found in native keychain")
      }
      for verb in ["get", "erase"] {
        expect(try helper(desk, verb, input: " \n"), "no credentials server URL")
      }
      expect(
        try helper(desk, "store", input: #"{"Username":"a","Secret":"b"}"#),
        "no credentials server URL")
      expect(
        try helper(desk, "store", input: #"{"ServerURL":"a","Username":"","Secret":"b"}"#),
        "no credentials username")
      #expect(try helper(desk, "list").stdout == "{}\n")
      let version = try helper(desk, "version")
      #expect(version.status == 0)
      #expect(version.stdout.hasPrefix("docker-credential-coder-cred (coder-cred) v"))
      #expect(try helper(desk, "--help").status == 0)
      for words in [[], ["get", "x"], ["frobnicate"]] {
        let result = try desk.run("\(desk.directory)/bin/docker-credential-coder-cred", words)
        #expect(result.status == 1 && result.stdout.hasPrefix("usage:"))
      }
      for input in ["", "{", "[]", #"{"ServerURL":1}"#, String(repeating: "x", count: 1 << 20 + 1)]
      {
        let result = try helper(desk, "store", input: input)
        #expect(result.status == 1 && result.lines.count == 1 && result.errors.isEmpty)
      }
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `tells of a failure on standard output, in one line`() throws {
    try Desk.with(.withoutService) { desk in
      _ = try desk.installNames()
      let result = try helper(desk, "get", input: "registry:5000")
      #expect(result.status == 1 && result.lines.count == 1 && result.errors.isEmpty)
      #expect(result.stdout.contains("Secret Service"))
    }
  }

  @Test func `gives a deployment's token, and lists no deployment and no password of git's`() throws
  {
    try Desk.withSession { desk in
      _ = try desk.installNames()
      expectSilence(
        try desk.run(
          ["store"],
          input: "protocol=https\nhost=registry:5000\nusername=a\npassword=\(desk.plant())\n"))
      let got = try helper(desk, "get", input: desk.url)
      let object = try got.object()
      #expect(object["Username"] as? String == "alice")
      #expect(try object["Secret"] as? String == desk.token())
      // docker names a registry without its protocol: that is https, and another server.
      for name in [
        String(desk.url.dropFirst("http://".count)), "registry:5000", "https://\(desk.url)",
      ] {
        #expect(!desk.canary.isIn(try helper(desk, "get", input: name).output), "\(name)")
      }
      #expect(try helper(desk, "list").stdout == "{}\n")
      try desk.desktop.expectUnchangedItems("a logout of docker's") {
        expectSilence(try helper(desk, "erase", input: desk.url))
        expectSilence(try helper(desk, "erase", input: "registry:5000"))
      }
    }
  }

  @Test(.enabled(if: Client.exists("docker")))
  func `serves the real client's login, pull and logout`() throws {
    try Desk.with { desk in
      let bin = try desk.installNames()
      let registry = try FakeServer(.docker, desk)
      let environment = desk.path(bin).merging(["DOCKER_CONFIG": "\(desk.directory)/docker"]) { $1 }
      try desk.write(#"{"credsStore":"coder-cred"}"#, to: "\(desk.directory)/docker/config.json")
      let login = try desk.run(
        "docker", ["login", registry.name, "-u", "bob", "--password-stdin"],
        input: registry.secret, environment: environment)
      // docker asks its engine first where there is one; login itself needs none.
      #expect(login.status == 0, "\(login.stderr)")
      #expect(try desk.desktop.items().count == 1)
      let logout = try desk.run("docker", ["logout", registry.name], environment: environment)
      #expect(logout.status == 0, "\(logout.stderr)")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test(.enabled(if: Client.exists("podman")))
  func `serves podman's login and logout`() throws {
    try Desk.with { desk in
      let bin = try desk.installNames()
      let registry = try FakeServer(.docker, desk)
      let file = "\(desk.directory)/auth.json"
      try desk.write(#"{"credHelpers":{"\#(registry.name)":"coder-cred"}}"#, to: file)
      func podman(_ words: String..., input: String = "") throws -> CommandResult {
        try desk.run("podman", words, input: input, environment: desk.path(bin))
      }
      let login = try podman(
        "login", "--authfile", file, "--tls-verify=false", "-u", "bob", "--password-stdin",
        registry.name, input: registry.secret)
      #expect(login.status == 0, "\(login.stderr)")
      let get = try podman("login", "--authfile", file, "--get-login", registry.name)
      #expect(get.stdout == "bob\n")
      let logout = try podman("logout", "--authfile", file, registry.name)
      #expect(logout.status == 0, "\(logout.stderr)")
      #expect(try desk.desktop.items().isEmpty)
    }
  }
}
