import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Credentials that are nothing to us: kept for git, and given back as they came.
@Suite(.blocking) struct `A plain credential` {
  private static let chain = ["GIT_EXEC_PATH": "/usr/lib/git-core"]

  /// Stores, asks or erases as git does, and expects no word on standard error.
  @discardableResult
  private func tell(
    _ desk: Desk, _ verb: String, _ lines: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> CommandResult {
    let result = try desk.run(
      [verb], input: lines.map { $0 + "\n" }.joined(), environment: Self.chain,
      sourceLocation: sourceLocation)
    #expect(
      result.status == 0 && result.errors.isEmpty, "\(result.stderr)",
      sourceLocation: sourceLocation)
    return result
  }

  @Test func `is given back with its refresh token after its end, without a word`() throws {
    try Desk.with { desk in
      let (password, refresh) = (desk.plant(), desk.plant("refresh"))
      for end in [Int(Date().timeIntervalSince1970) - 5, 9_999_999_999] {
        let lines = [
          "username=oauth2", "password=\(password)", "password_expiry_utc=\(end)",
          "oauth_refresh_token=\(refresh)",
        ]
        try tell(
          desk, "store", "protocol=https", "host=gitlab.example", lines[0], lines[1], lines[2],
          lines[3])
        let given = try tell(desk, "get", "protocol=https", "host=gitlab.example")
        #expect(given.lines == lines)
      }
    }
  }

  @Test func `that has expired and cannot be renewed is not stored`() throws {
    try Desk.with { desk in
      try tell(
        desk, "store", "protocol=https", "host=h.example", "username=u", "password=\(desk.plant())",
        "password_expiry_utc=1")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `is kept in both forms, and each is given to who understands it`() throws {
    try Desk.with { desk in
      let (password, encoded) = (desk.plant(), desk.plant("b64=="))
      try tell(
        desk, "store", "capability[]=authtype", "authtype=Basic", "credential=\(encoded)",
        "protocol=https", "host=h.example", "username=u", "password=\(password)")
      let old = try tell(desk, "get", "protocol=https", "host=h.example")
      #expect(old.lines == ["username=u", "password=\(password)"])
      let new = try tell(desk, "get", "capability[]=authtype", "protocol=https", "host=h.example")
      #expect(
        new.lines == [
          "capability[]=authtype", "authtype=Basic", "credential=\(encoded)", "username=u",
          "password=\(password)",
        ])
      // Like is compared with like.
      try desk.desktop.expectUnchangedItems("the other form") {
        try tell(
          desk, "erase", "protocol=https", "host=h.example", "username=u", "password=\(encoded)")
        try tell(
          desk, "erase", "capability[]=authtype", "authtype=Basic", "credential=\(password)",
          "protocol=https", "host=h.example")
        try tell(
          desk, "erase", "capability[]=authtype", "authtype=Basic", "credential=\(encoded)",
          "protocol=https", "host=h.example", "username=u", "password=other")
      }
      try tell(
        desk, "erase", "capability[]=authtype", "authtype=Basic", "credential=\(encoded)",
        "protocol=https", "host=h.example")
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `that is pre-encoded is never given as a password`() throws {
    try Desk.with { desk in
      let encoded = desk.plant("YTpi")
      try tell(
        desk, "store", "capability[]=authtype", "authtype=Basic", "credential=\(encoded)",
        "protocol=https", "host=h.example")
      expectSilence(try tell(desk, "get", "protocol=https", "host=h.example"))
      let given = try tell(desk, "get", "capability[]=authtype", "protocol=https", "host=h.example")
      #expect(
        given["credential"] == encoded && given["password"] == nil && given["ephemeral"] == nil)
      // It belongs to no deployment: who names none does not mean it.
      for command in [["token"], ["header"], ["exec", "--", "env"]] {
        #expect(!desk.canary.isIn(try desk.desktop.run(desk.program, command).output), "\(command)")
      }
    }
  }

  @Test func `stored with a path is found and erased without one, and not under another`() throws {
    try Desk.with { desk in
      let password = desk.plant()
      let known = ["protocol=https", "host=h.example", "username=u", "password=\(password)"]
      try tell(desk, "store", known[0], known[1], "path=a.git", known[2], known[3])
      let given = try tell(desk, "get", known[0], known[1])
      #expect(given["password"] == password)
      expectSilence(try tell(desk, "get", known[0], known[1], "path=b.git"))
      expectSilence(try tell(desk, "get", known[0], known[1], "username=other"))
      expectSilence(try tell(desk, "get", known[0], "host=h.example:8443"))
      try desk.desktop.expectUnchangedItems("another path, or another password") {
        try tell(desk, "erase", known[0], known[1], "path=b.git")
        try tell(desk, "erase", known[0], known[1], known[2], "password=other")
      }
      // Who names the server as a URL means exactly that.
      #expect(try desk.run(["get", "https://h.example"]).status == 1)
      try tell(desk, "erase", known[0], known[1], known[2], known[3])
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `is the one stored last, where a request fits several`() throws {
    try Desk.with { desk in
      for user in ["b", "c", "a"] {
        try tell(
          desk, "store", "protocol=https", "host=h.example", "username=\(user)",
          "password=\(desk.plant(user))")
      }
      #expect(try tell(desk, "get", "protocol=https", "host=h.example")["username"] == "a")
      // What worked again was stored last.
      try tell(
        desk, "store", "protocol=https", "host=h.example", "username=b",
        "password=\(desk.plant("b"))")
      #expect(try tell(desk, "get", "protocol=https", "host=h.example")["username"] == "b")
      try tell(
        desk, "erase", "protocol=https", "host=h.example", "username=b",
        "password=\(desk.plant("b"))")
      #expect(try tell(desk, "get", "protocol=https", "host=h.example")["username"] == "a")
      #expect(try desk.run(["get", "https://h.example"]).status == 64)
    }
  }

  @Test(arguments: [
    ["protocol=cert", "host=", "path=home/u/key.pem"], ["protocol=https", "host=bücher.example"],
    ["protocol=https", "host=Git.Example.COM:0443"], ["protocol=https", "host=[2001:db8::1]:8443"],
    ["protocol=smtp", "host=mail.example:587"],
    ["protocol=https", "host=h.example", "path=a?v=1#x"],
    ["url=https://h.example/feed/index.json?version=x"],
    ["protocol=https", "host=h.example", "path=日本/語 \"x\".git"],
  ])
  func `is for any server, byte for byte`(place: [String]) throws {
    try Desk.with { desk in
      let password = desk.plant(" \"\\ %41 ü")
      let input = { (lines: [String]) in (place + lines).map { $0 + "\n" }.joined() }
      let told = input(["username=u", "password=\(password)"])
      expectSilence(try desk.run(["store"], input: told, environment: Self.chain))
      for program in [desk.program, desk.fullProgram] {
        let given = try desk.desktop.run(program, ["get"], input: Array(input([]).utf8))
        #expect(given.lines == ["username=u", "password=\(password)"], "\(given.stderr)")
      }
      #expect(try desk.run(["list"]).status == 0)
      expectSilence(try desk.run(["erase"], input: told, environment: Self.chain))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test(arguments: [
    "protocol=https\nhost=h.example\npath=a/../b\n", "protocol=https\nhost=h.example:99999\n",
    "protocol=https\nhost=b\u{200B}d.example\n", "protocol=https\nhost=a b\n",
    "protocol=9p\nhost=h\n",
  ])
  func `for what cannot be kept passes in git's chain without a word`(place: String) throws {
    try Desk.with { desk in
      let told = place + "username=u\npassword=\(desk.plant())\n"
      for verb in ["get", "store", "erase"] {
        let chained = try desk.run([verb], input: told, environment: Self.chain)
        #expect(chained.status == 65 && chained.output.isEmpty && chained.errors.isEmpty)
        expectFailure(try desk.run([verb], input: told), 65)
      }
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `does not hide or replace a session with the deployment`() throws {
    try Desk.withSession { desk in
      let host = "host=127.0.0.1:\(desk.deployment.port)"
      let token = try desk.token()
      let before = try desk.sessions()
      // A git that cannot say authtype hands the token back as a password, with any user name.
      for user in ["alice", "coder"] {
        try tell(desk, "store", "protocol=http", host, "username=\(user)", "password=\(token)")
      }
      #expect(try desk.sessions().filter { $0.account == "alice" } == before)
      #expect(try tell(desk, "get", "protocol=http", host)["username"] == "alice")
    }
  }

  @Test(arguments: ["", "username=somebody"])
  func `without a name is a token that any name goes with`(named: String) throws {
    try Desk.with { desk in
      let token = desk.plant("token")
      let session =
        [
          "v": 1, "url": "https://dev.example", "account": "", "method": "token",
          "token_type": "Bearer", "access_token": token,
        ] as [String: Any]
      let payload = String(
        decoding: try JSONSerialization.data(
          withJSONObject: session, options: .withoutEscapingSlashes), as: UTF8.self)
      try desk.desktop.storeAsOtherApplication(
        payload, label: "Coder session",
        [
          "application": "coder-cred", "kind": "session", "deployment": "https://dev.example",
          "account": "",
        ])
      let lines = ["protocol=https", "host=dev.example"] + (named.isEmpty ? [] : [named])
      for program in [desk.program, desk.fullProgram] {
        let given = try desk.desktop.run(
          program, ["get"], input: Array(lines.map { $0 + "\n" }.joined().utf8))
        #expect(
          given.lines == (named.isEmpty ? ["username=coder"] : []) + ["password=\(token)"],
          "\(given.stderr)")
      }
      // git hands back what it was given: nothing new.
      try desk.desktop.expectUnchangedItems("what was given") {
        try tell(desk, "store", lines[0], lines[1], "username=coder", "password=\(token)")
      }
    }
  }

  @Test(arguments: ["get", "store", "erase"])
  func `is meant by a verb that is said twice`(verb: String) throws {
    try Desk.with { desk in
      let told = "protocol=https\nhost=h.example\nusername=u\npassword=\(desk.plant())\n"
      expectSilence(try desk.run(["store", "store"], input: told))
      for program in [desk.program, desk.fullProgram] {
        let result = try desk.desktop.run(
          program, ["--min-ttl=5", verb, verb], input: Array(told.utf8))
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.stderr)")
        #expect(result.output.isEmpty == (verb != "get"))
        if verb == "erase" { #expect(try desk.desktop.items().isEmpty) }
      }
    }
  }
}
