import Credentials
import HTTP
import OAuth
import SecretService
import Secrets
import SessionFakes
import Sessions
import Testing

@testable import Login

@Suite struct TokenLoginTests {
  private let bench: LoginBench

  init() throws {
    bench = try LoginBench()
    bench.options.method = .token
    bench.prompt.tokens = ["t1"]
  }

  @Test func `A pasted token is kept under the name of whom it speaks for`() throws {
    bench.expectBuildInformation()
    bench.expectUser()
    let session = try bench.run().get()
    #expect(session.account == "alice" && session.method == .token && session.refreshToken == nil)
    #expect(session.signedInAt == bench.clock.now)
    #expect(bench.store.sessions == [session] && bench.http.isFinished)
  }

  @Test func `Until when a token is kept is asked for, and nothing if nobody says`() throws {
    let path = "/api/v2/users/me/keys/0123456789"
    for (status, json, until, seconds) in [
      (
        200, #"{"expires_at":"1970-02-01T00:00:00.5Z","lifetime_seconds":604800}"#, 31 * 86_400,
        604_800
      ),
      (200, #"{"expires_at":"1970-02-01T02:00:00+02:00"}"#, 31 * 86_400, nil),
      (200, #"{"expires_at":"0001-01-01T00:00:00Z"}"#, nil, nil),
      (200, #"{"expires_at":"soon","lifetime_seconds":1}"#, nil, nil), (200, "[]", nil, nil),
      (404, "{}", nil, nil), (503, "{}", nil, nil),
    ] as [(Int, String, Int64?, Int64?)] {
      let other = try Self()
      other.bench.prompt.tokens = ["0123456789-abcdefghijklmnopqrstuv"]
      other.bench.expectBuildInformation()
      other.bench.expectUser()
      other.bench.http.on("GET", path, status, json: json)
      let session = try other.bench.run().get()
      #expect(session.keptUntil == until && session.keptSeconds == seconds, "\(status) \(json)")
      #expect(session.expiresAt == nil && other.bench.http.isFinished)
    }
  }

  @Test func `A token that is rejected, or whose owner nobody tells, is not kept`() {
    for (status, json, expected) in [
      (401, "{}", .tokenRejected), (403, "{}", .tokenOwnerUnknown),
      (200, #"{"username":""}"#, .tokenOwnerUnknown),
      (503, "{}", .noResponse(.unexpected(status: 503))),
    ] as [(Int, String, LoginError)] {
      bench.prompt.tokens = ["t1"]
      bench.expectBuildInformation()
      bench.http.on("GET", "/api/v2/users/me", status, json: json)
      #expect(bench.run() == .failure(expected))
    }
    #expect(bench.store.saved.isEmpty)
  }

  @Test func `Another user's token than was asked for is not kept`() {
    bench.options.account = "alice"
    bench.expectBuildInformation()
    bench.expectUser("bob")
    #expect(
      bench.run()
        == .failure(.wrongAccount(found: "bob", wanted: "alice", isOfBrowser: false)))
    #expect(bench.store.saved.isEmpty)
  }

  @Test func `The OAuth session that makes room is revoked, and one without a name goes too`()
    throws
  {
    bench.store.registration = bench.registration("c1")
    bench.store.expected.insert(.remove)
    bench.keep("alice")
    bench.keep("")
    bench.keep("bob")
    bench.expectBuildInformation()
    bench.expectUser()
    bench.expectRevocation()
    bench.expectRevocation()
    let session = try bench.run().get()
    #expect(bench.http.isFinished)
    #expect(bench.prompt.events == [.alreadySignedIn(["alice", "bob"], at: deployment)])
    #expect(Set(bench.http.bodies.dropFirst(2).map { $0.contains("r0-alice") }) == [true, false])
    #expect(bench.store.sessions.first == session)
    #expect(bench.store.sessions.map(\.account).sorted() == ["alice", "bob"])
  }

  @Test func `A session that cannot be revoked is told of`() throws {
    bench.store.registration = bench.registration("other")
    bench.keep("alice")
    bench.expectBuildInformation()
    bench.expectUser()
    _ = try bench.run().get()
    #expect(bench.prompt.events.last == .formerNotRevoked(nil))

    let second = try LoginBench()
    second.options.method = .token
    second.prompt.tokens = ["t1"]
    second.store.registration = second.registration("c1")
    second.keep("alice")
    second.expectBuildInformation()
    second.expectUser()
    second.http.on("POST", "/oauth2/revoke", .failure(.unreachable(reason: "x")))
    _ = try second.run().get()
    #expect(
      second.prompt.events.last == .formerNotRevoked(.transport(.unreachable(reason: "x"))))
  }

  @Test func `The access token of the OAuth session itself changes nothing`() throws {
    let session = bench.keep("alice")
    bench.prompt.tokens = [session.accessToken]
    bench.expectBuildInformation()
    bench.expectUser()
    _ = try bench.run().get()
    #expect(bench.store.sessions == [session])
  }

  @Test func `A keyring that stays locked is told before anyone is asked`() {
    bench.store.failure = .keyring(.dismissed)
    #expect(bench.run() == .failure(.session(.store(.keyring(.dismissed)))))
    #expect(bench.http.requests.isEmpty)
  }
}
