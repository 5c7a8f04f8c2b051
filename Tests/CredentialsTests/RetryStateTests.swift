import Credentials
import Secrets
import Testing

@Suite struct RetryStateTests {
  private func request(_ lines: String...) throws -> CredentialRequest {
    try CredentialRequest(
      parsing: Array((["url=https://dev.coder.com"] + lines).map { $0 + "\n" }.joined().utf8))
  }

  private var session: StoredSession {
    get throws {
      var session = StoredSession(
        deployment: try Deployment(url: "https://dev.coder.com"), account: "alice", method: .oauth,
        accessToken: "token")
      session.refreshToken = "refresh"
      session.issuedAt = 1_763_877_655
      session.expiresAt = 1_763_964_055
      return session
    }
  }

  @Test func `A caller that understands state is asked to bring a refused token back`() throws {
    let request = try request("capability[]=authtype", "capability[]=state")
    let answer = try Credential(session).written(as: request.gitFormat)
    #expect(
      answer == """
        capability[]=authtype
        capability[]=state
        authtype=Bearer
        credential=token
        ephemeral=1
        username=alice
        password_expiry_utc=1763964055
        continue=1
        state[]=coder-cred:3c469e9d6c5875d37a43f353d4f88e61

        """)
  }

  @Test func `Whoever brings it back is answered without another chance`() throws {
    let request = try request(
      "capability[]=authtype", "capability[]=state", "state[]=other:x",
      "state[]=coder-cred:3c469e9d6c5875d37a43f353d4f88e61", "state[]=third:coder-cred:5")
    #expect(request.refused?.isPresent(in: try session) ?? false)
    #expect(request.gitFormat == .git(authtype: true))
  }

  @Test func `A session that cannot be refreshed has no second chance to offer`() throws {
    for change in [
      { $0.refreshToken = nil }, { $0.method = .token }, { $0.method = .basic },
    ] as [(inout StoredSession) -> Void] {
      var session = try session
      change(&session)
      let answer = try Credential(session).written(as: .git(authtype: true, retry: true))
      #expect(answer == (try Credential(session).written(as: .git(authtype: true))))
    }
  }

  @Test func `Two tokens of one second are two states`() throws {
    let session = try session
    var other = session
    other.accessToken = "token2"
    let state = try #require(RetryState(of: other))
    #expect(state.isPresent(in: other) && !state.isPresent(in: session))
    #expect(state != RetryState(of: session))
    #expect(RetryState(state.text) == state)
    #expect(!state.text.contains("token2"))
  }

  @Test(arguments: [
    "", "coder-cred:", "coder-cred:x", "coder-cred:1763877655",
    "coder-cred:3c469e9d6c5875d37a43f353d4f88e6", "coder-cred:3c469e9d6c5875d37a43f353d4f88e611",
    "coder-cred:3c469e9d6c5875d37a43f353d4f88eg1", "coder-cred: c469e9d6c5875d37a43f353d4f88e61",
    "Coder-cred:3c469e9d6c5875d37a43f353d4f88e61", "3c469e9d6c5875d37a43f353d4f88e61",
  ])
  func `What is not ours is passed over`(text: String) throws {
    let ours = "coder-cred:3c469e9d6c5875d37a43f353d4f88e61"
    #expect(RetryState(text) == nil)
    #expect(
      try request("state[]=\(ours)", "state[]=\(text)").refused
        == (text.isEmpty ? nil : RetryState(ours)))
  }
}
