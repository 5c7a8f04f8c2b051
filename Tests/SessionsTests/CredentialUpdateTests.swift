import Credentials
import OAuth
import Secrets
import SessionFakes
import Sessions
import Testing

@Suite struct CredentialUpdateTests {
  private let bench = Bench()
  private var store: MemoryStore { bench.store }

  init() { store.sessions = [] }

  private var update: CredentialUpdate {
    CredentialUpdate(store: bench.store, lock: FreeLock(), clock: bench.clock)
  }

  /// A request as git writes it, for the benches' deployment.
  private func request(_ lines: String...) throws -> CredentialRequest {
    try CredentialRequest(
      parsing: Array(
        (["protocol=https", "host=dev.coder.com"] + lines).joined(separator: "\n").utf8))
  }

  private func keep(_ account: String, _ method: StoredSession.Method, _ token: Secret) {
    store.sessions.append(
      StoredSession(deployment: deployment, account: account, method: method, accessToken: token))
  }

  private var kept: [String] {
    store.sessions.map { "\($0.account) \($0.method)" }.sorted()
  }

  @Test func `A password is kept once, and a new one takes its place`() throws {
    let first = try request("username=alice", "password=one")
    try update.store(first)
    try update.store(first)
    #expect(store.saved.count == 1)
    try update.store(try request("username=alice", "password=two"))
    #expect(kept == ["alice basic"])
    #expect(store.session?.accessToken == "two")
  }

  @Test func `A password that was called stale and worked is written anew`() throws {
    keep("alice", .basic, "one")
    store.session?.staleSince = 1
    try update.store(try request("username=alice", "password=one"))
    #expect(store.session?.staleSince == nil)
  }

  @Test func `A pre-encoded credential is a token, with its scheme and its end`() throws {
    let end = bench.clock.now + 1
    try update.store(
      try request(
        "username=alice", "capability[]=authtype", "authtype=Basic", "credential=eDp5",
        "password_expiry_utc=\(end)", "oauth_refresh_token=r"))
    #expect(kept == ["alice token"])
    #expect(store.session?.tokenType == "Basic" && store.session?.expiresAt == end)
    #expect(store.session?.refreshToken == "r")
  }

  @Test func `What is ephemeral, dead, or without a secret is not kept`() throws {
    for lines in [
      ["username=alice", "password=x", "ephemeral=1"], ["username=alice"], ["password=x"],
      ["username=alice", "password=x", "password_expiry_utc=\(bench.clock.now)"],
    ] {
      let text = (["protocol=https", "host=dev.coder.com"] + lines).joined(separator: "\n")
      try update.store(try CredentialRequest(parsing: Array(text.utf8)))
      #expect(store.saved.isEmpty, "\(lines)")
    }
  }

  @Test func `What belongs to an OAuth session is never overwritten`() throws {
    keep("alice", .oauth, "a1")
    for account in ["alice", "bob"] {
      try update.store(try request("username=\(account)", "password=x"))
    }
    #expect(kept == ["alice oauth", "bob basic"])
    #expect(store.sessions.contains { $0.accessToken == "a1" })
  }

  @Test func `A rejected OAuth token is marked, and keeps its refresh token`() throws {
    keep("alice", .oauth, "a1")
    store.session?.refreshToken = "r1"
    try update.erase(try request("username=alice", "password=a1"))
    #expect(store.session?.staleSince == bench.clock.now && store.session?.refreshToken == "r1")
    bench.clock.now += 5
    try update.erase(try request("username=alice", "password=a1"))
    #expect(store.saved.count == 1)
  }

  @Test func `A secret that is told of touches no session but the one that holds it`() throws {
    store.expected = [.remove]
    keep("alice", .basic, "one")
    keep("bob", .token, "two")
    try update.erase(try request("username=alice", "password=two"))
    #expect(kept == ["alice basic", "bob token"])
    try update.erase(try request("password=two"))
    #expect(kept == ["alice basic"])
  }

  @Test func `Without a secret every session that is meant goes, and no other account's`() throws {
    store.expected = [.remove]
    for account in ["", "alice", "bob"] { keep(account, .oauth, "x") }
    try update.erase(try request("username=alice"))
    #expect(kept == [" oauth", "bob oauth"])
    try update.erase(try request())
    #expect(kept.isEmpty)
  }

  @Test func `An erase of a former secret does not take the new one that came between`() throws {
    store.expected = [.remove]
    for method in [StoredSession.Method.basic, .token, .oauth] {
      store.sessions = []
      keep("alice", method, "old")
      var reads = 0
      store.willRead = { [store] _ in
        reads += 1
        if reads == 2 { store.session?.accessToken = "new" }
      }
      try update.erase(try request("username=alice", "password=old"))
      #expect(store.session?.accessToken == "new" && store.session?.staleSince == nil)
    }
  }

  @Test func `A store does not overwrite a sign-in that came between`() throws {
    var reads = 0
    store.willRead = { [store] _ in
      reads += 1
      guard reads == 2 else { return }
      store.sessions = [
        StoredSession(deployment: deployment, account: "alice", method: .oauth, accessToken: "a1")
      ]
    }
    try update.store(try request("username=alice", "password=x"))
    #expect(kept == ["alice oauth"])
  }

  @Test func `What a session brings for a path below its deployment is not kept as a password`()
    throws
  {
    keep("alice", .oauth, "a1")
    keep("bob", .token, "t1")
    // Before and after a refresh made the token old.
    for secret in ["a1", "a0"] {
      try update.store(try request("path=git/r.git", "username=alice", "password=\(secret)"))
    }
    try update.store(try request("path=git/r.git", "username=bob", "password=t1"))
    #expect(store.saved.isEmpty)
    try update.store(try request("path=git/r.git", "username=carol", "password=own"))
    #expect(store.saved.map(\.account) == ["carol"])
  }

  @Test func `An OAuth session that has ended does not stand in the way of a password`() throws {
    keep("alice", .oauth, "a1")
    store.session?.staleSince = 1
    try update.store(try request("username=alice", "password=x"))
    #expect(kept == ["alice basic"])
    // But its own dead token is no password.
    store.sessions = []
    keep("alice", .oauth, "a1")
    store.session?.staleSince = 1
    try update.store(try request("username=alice", "password=a1"))
    #expect(kept == ["alice oauth"])
  }

  @Test func `A keyring that fails is told`() throws {
    store.failure = .locked
    #expect(throws: SessionError.store(.locked)) {
      try update.store(try request("username=alice", "password=x"))
    }
    #expect(throws: SessionError.store(.locked)) { try update.erase(try request()) }
  }
}
