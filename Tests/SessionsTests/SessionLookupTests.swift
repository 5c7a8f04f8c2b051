import Credentials
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

@Suite struct SessionLookupTests {
  private let store = MemoryStore()

  private func keep(
    _ account: String, _ method: StoredSession.Method = .oauth, at url: String = deployment.url
  ) throws {
    store.sessions.append(
      StoredSession(
        deployment: try Deployment(url: url), account: account, method: method,
        accessToken: "\(account) at \(url)"))
  }

  /// The account and method of the session found, and the deployment's path.
  private func found(
    _ account: String? = nil, at url: String = deployment.url, active: String? = nil
  ) throws -> String? {
    let request = CredentialRequest(deployment: try Deployment(url: url), username: account)
    let lookup = SessionLookup(store: store, clock: FakeClock(), activeAccount: { _ in active })
    return try lookup.session(for: request).map {
      "\($0.account) \($0.method)\($0.deployment.path)"
    }
  }

  private func failure(_ account: String? = nil) -> SessionError? {
    do { _ = try found(account) } catch { return error as? SessionError }
    return nil
  }

  @Test func `The account asked for is found, and no other is taken for it`() throws {
    try keep("alice")
    try keep("bob")
    #expect(try found("bob") == "bob oauth")
    #expect(try found("carol") == nil)
    #expect(try found("") == nil)
  }

  @Test func `A session without a name serves everybody, but comes after the account's own`() throws
  {
    try keep("")
    #expect(try found("carol") == " oauth")
    try keep("carol", .token)
    #expect(try found("carol") == "carol token")
    #expect(try found("bob") == " oauth")
    #expect(try found("") == " oauth")
  }

  @Test func `OAuth comes before a kept token, and a token before a password`() throws {
    try keep("carol", .basic)
    #expect(try found() == "carol basic")
    try keep("bob", .token)
    #expect(try found() == "bob token")
    try keep("alice")
    #expect(try found() == "alice oauth")
  }

  @Test func `Several accounts that fit equally are a question, in the order of their names`()
    throws
  {
    try keep("bob")
    try keep("alice")
    #expect(failure() == .severalAccounts(deployment, ["alice", "bob"]))
    #expect(try found("alice") == "alice oauth")
    // A lesser method is no part of the question.
    try keep("zoe", .token)
    #expect(failure() == .severalAccounts(deployment, ["alice", "bob"]))
  }

  @Test func `The active account is meant, and an account that is asked for always wins`() throws {
    try keep("alice")
    try keep("bob")
    try keep("carol", .token)
    #expect(try found(active: "alice") == "alice oauth")
    #expect(try found(active: "bob") == "bob oauth")
    #expect(try found(active: "carol") == "carol token")
    #expect(try found("bob", active: "alice") == "bob oauth")
    #expect(try found("zoe", active: "alice") == nil)
  }

  @Test func `Where none is chosen, the account that signed in last is active`() throws {
    try keep("alice")
    store.session?.signedInAt = 5
    try keep("bob")
    store.sessions[1].signedInAt = 7
    try keep("carol")
    #expect(try found() == "bob oauth")
    #expect(try found(active: "gone") == "bob oauth")
    store.sessions[0].signedInAt = 7
    #expect(failure() == .severalAccounts(deployment, ["alice", "bob", "carol"]))
  }

  @Test func `An active account whose session has ended, or a password, does not count`() throws {
    try keep("alice")
    store.session?.staleSince = 1
    store.session?.signedInAt = 9
    try keep("bob")
    try keep("carol", .basic)
    #expect(try found(active: "alice") == "bob oauth")
    #expect(try found(active: "carol") == "bob oauth")
    // While there is another: else the one who has to sign in again is named.
    store.sessions.removeLast(2)
    #expect(try found(active: "bob") == "alice oauth")
  }

  @Test func `A session that has ended is no choice while there is another`() throws {
    try keep("bob")
    store.session?.staleSince = 1
    try keep("alice")
    #expect(try found() == "alice oauth")
    #expect(try found("bob") == "bob oauth")
    store.sessions[1].staleSince = 1
    #expect(failure() == .severalAccounts(deployment, ["alice", "bob"]))
    try keep("carol", .basic)
    #expect(try found() == "carol basic")
  }

  @Test func `The nearest deployment above the path serves it, and none beside or below`() throws {
    try keep("root")
    try keep("team", at: "\(deployment.url)/team")
    #expect(try found(at: "\(deployment.url)/team/project.git") == "team oauth/team")
    #expect(try found(at: "\(deployment.url)/team") == "team oauth/team")
    #expect(try found(at: "\(deployment.url)/teams") == "root oauth")
    #expect(try found(at: "https://dev.coder.com:8443") == nil)
    #expect(try found(at: "https://other.coder.com/team") == nil)
  }

  @Test func `A password serves its own path alone`() throws {
    try keep("alice", .basic)
    #expect(try found() == "alice basic")
    #expect(try found(at: "\(deployment.url)/team") == nil)
  }

  @Test func `A keyring that fails is told, and not taken for an empty one`() {
    store.failure = .locked
    #expect(failure() == .store(.locked))
  }
}
