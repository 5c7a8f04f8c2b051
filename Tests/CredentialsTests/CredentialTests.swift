import Credentials
import Secrets
import Testing

@Suite struct `A credential` {
  private var session: StoredSession

  init() throws {
    session = StoredSession(
      deployment: try Deployment(url: "https://dev.coder.com/x"), account: "alice", method: .oauth,
      accessToken: "token")
    session.expiresAt = 1_900_000_000
    session.refreshToken = "refresh"
  }

  @Test func `for a git that understands Bearer comes with its capability first`() throws {
    #expect(
      try Credential(session).written(as: .git(authtype: true)) == """
        capability[]=authtype
        authtype=Bearer
        credential=token
        ephemeral=1
        username=alice
        password_expiry_utc=1900000000

        """)
  }

  @Test func `for an older git is a password`() throws {
    #expect(
      try Credential(session).written(as: .git(authtype: false)) == """
        username=alice
        password=token
        password_expiry_utc=1900000000

        """)
  }

  @Test func `never carries an OAuth session's refresh token, nor the server's name`() throws {
    for authtype in [true, false] {
      let answer = try Credential(session).written(as: .git(authtype: authtype)).revealed
      for key in ["oauth_refresh_token", "host=", "protocol=", "path=", "url=", "refresh"] {
        #expect(!answer.contains(key))
      }
    }
  }

  @Test func `that was stored with a password comes back as it came`() throws {
    var stored = StoredSession(
      deployment: session.deployment, account: "", method: .basic, accessToken: "p w")
    stored.refreshToken = "xyzzy"
    #expect(
      try Credential(stored).written(as: .git(authtype: true))
        == "username=\npassword=p w\noauth_refresh_token=xyzzy\n")
  }

  @Test func `as JSON names all that a script needs`() throws {
    #expect(
      try Credential(session).written(as: .json) == """
        {"deployment":"https://dev.coder.com/x","account":"alice","token_type":"Bearer",\
        "access_token":"token","expires_at":"2030-03-17T17:46:40Z"}

        """)
  }

  @Test mutating func `as JSON escapes what JSON must, and knows no expiry it was not told`() throws
  {
    session.account = "a\"\\\u{1}ü"
    session.expiresAt = nil
    let answer = try Credential(session).written(as: .json).revealed
    #expect(answer.contains(#""account":"a\"\\\u0001ü""#))
    #expect(answer.contains(#""expires_at":null"#))
  }

  @Test(
    arguments: [
      (.coder, "Authorization=Bearer token\n"), (.lines, "Authorization: Bearer token\n"),
      (.json, "{\"Authorization\":\"Bearer token\"}\n"),
      (.cookie, "Cookie: coder_session_token=token\n"), (.authorization, "Bearer token\n"),
      (.curl, "header = \"Authorization: Bearer token\"\n"),
      (
        .bazel,
        """
        {"headers":{"Authorization":["Bearer token"]},"expires":"2030-03-17T17:46:40Z"}

        """
      ),
      (.goauth, "https://dev.coder.com/x\n\nAuthorization: Bearer token\n\n"),
    ] as [(Credential.HeaderNotation, Secret)])
  func `is written as a header`(notation: Credential.HeaderNotation, answer: Secret) throws {
    #expect(try Credential(session).written(as: .header(notation)) == answer)
  }

  @Test mutating func `without a known expiry gives Bazel none`() throws {
    session.expiresAt = nil
    #expect(
      try Credential(session).written(as: .header(.bazel))
        == "{\"headers\":{\"Authorization\":[\"Bearer token\"]}}\n")
  }

  @Test func `for docker names server, user and secret`() throws {
    #expect(
      try Credential(session).written(as: .docker) == """
        {"ServerURL":"https://dev.coder.com/x","Username":"alice","Secret":"token"}

        """)
    let password = StoredSession(
      deployment: session.deployment, account: "", method: .basic, accessToken: "p \"w\\")
    #expect(
      try Credential(password).docker(server: "dev.coder.com/x") == """
        {"ServerURL":"dev.coder.com/x","Username":"coder","Secret":"p \\"w\\\\"}

        """)
  }

  @Test func `has a form for each name, and for no other`() {
    for name in Credential.Format.names { #expect(Credential.Format(name: name) != nil, "\(name)") }
    for notation in Credential.HeaderNotation.all {
      #expect(Credential.HeaderNotation(name: notation.name) == notation)
    }
    for name in ["", "Git", "coder ", "basic", "headers"] {
      #expect(Credential.Format(name: name) == nil && Credential.HeaderNotation(name: name) == nil)
    }
  }

  @Test func `that is a password is no token`() {
    let password = StoredSession(
      deployment: session.deployment, account: "a", method: .basic, accessToken: "p")
    let headers = Credential.HeaderNotation.all.map { Credential.Format.header($0) }
    for format in [.token, .json] + headers {
      #expect(throws: MalformedInput.self) { try Credential(password).written(as: format) }
    }
  }

  @Test(
    arguments: [
      "x\nhost=evil\nquit=1", "x\r", "x\0", "a b", "\u{1b}[A", "", "x\ty", "x\u{7F}", "t\u{F6}ken",
      "x\u{2028}y", "x\u{85}y",
    ])
  mutating func `that would break its format is not written`(token: String) {
    session.accessToken = Secret(token)
    for name in Credential.Format.names where name != "git" {
      #expect(throws: MalformedInput.self, "\(name)") {
        try Credential(session).written(as: #require(Credential.Format(name: name)))
      }
    }
    for notation in Credential.HeaderNotation.all {
      #expect(throws: MalformedInput.self, "\(notation.name)") {
        try Credential(session).written(as: .header(notation))
      }
    }
  }

  @Test(arguments: ["", "Bearer\nX-Other: 1", "Bearer x", "Bearer:"])
  mutating func `of a type that is not one word is no header field`(type: String) {
    session.tokenType = type
    for notation in Credential.HeaderNotation.all where notation != .cookie {
      #expect(throws: MalformedInput.self, "\(notation.name)") {
        try Credential(session).written(as: .header(notation))
      }
    }
  }

  @Test mutating func `with quotes stays one field, and one cookie`() throws {
    session.accessToken = #"a"b\c;d,e"#
    #expect(
      try Credential(session).written(as: .header(.curl))
        == Secret(#"header = "Authorization: Bearer a\"b\\c;d,e""# + "\n"))
    #expect(
      try Credential(session).written(as: .header(.json))
        == Secret(#"{"Authorization":"Bearer a\"b\\c;d,e"}"# + "\n"))
    #expect(throws: MalformedInput.self) {
      try Credential(session).written(as: .header(.cookie))
    }
  }
}
