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
        state[]=coder-cred:1763877655

        """)
  }

  @Test func `Whoever brings it back is answered without another chance`() throws {
    let request = try request(
      "capability[]=authtype", "capability[]=state", "state[]=other:x",
      "state[]=coder-cred:1763877655", "state[]=third:coder-cred:5")
    #expect(request.refused?.isPresent(in: try session) ?? false)
    #expect(request.gitFormat == .git(authtype: true))
  }

  @Test func `A session that cannot be refreshed has no second chance to offer`() throws {
    for change in [
      { $0.refreshToken = nil }, { $0.issuedAt = nil }, { $0.method = .token },
    ] as [(inout StoredSession) -> Void] {
      var session = try session
      change(&session)
      let answer = try Credential(session).written(as: .git(authtype: true, retry: true))
      #expect(answer == (try Credential(session).written(as: .git(authtype: true))))
    }
  }

  @Test(arguments: [
    "", "coder-cred:", "coder-cred:x", "coder-cred:-1", "coder-cred:1 ", "Coder-cred:1", "1",
    "coder-cred:99999999999999999999",
  ])
  func `What is not ours is passed over`(text: String) throws {
    #expect(RetryState(text) == nil)
    #expect(
      try request("state[]=coder-cred:7", "state[]=\(text)").refused
        == (text.isEmpty ? nil : RetryState("coder-cred:7")))
  }
}
