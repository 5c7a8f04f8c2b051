import Credentials
import Secrets
import Testing

@Suite struct `A stored session` {
  private let deployment: Deployment

  init() throws {
    deployment = try Deployment(url: "https://dev.coder.com")
  }

  private func session(expiresAt: Int64? = nil, staleSince: Int64? = nil) -> StoredSession {
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: "token")
    session.expiresAt = expiresAt
    session.staleSince = staleSince
    return session
  }

  @Test func `comes back as it was stored`() throws {
    var session = session(expiresAt: 2000, staleSince: 1500)
    session.refreshToken = "refresh"
    session.issuedAt = 1000
    session.scope = "coder:all template:*"
    session.resource = "https://dev.coder.com"
    session.clientID = "id"
    session.signedInAt = 900
    session.refreshingSince = 1600
    let payload = try session.payload()
    #expect(
      try StoredSession(payload: payload, deployment: deployment, account: "alice") == session)
  }

  @Test func `keeps a password of any characters`() throws {
    var session = StoredSession(
      deployment: deployment, account: "bob", method: .basic, accessToken: #"p"\%  ü"#)
    session.refreshToken = "r"
    let again = try StoredSession(
      payload: session.payload(), deployment: deployment, account: "bob")
    #expect(again == session)
  }

  @Test(arguments: [
    #"{"v":1,"url":"https://other","account":"alice","method":"oauth","access_token":"t"}"#,
    #"{"v":1,"url":"https://dev.coder.com","account":"bob","method":"oauth","access_token":"t"}"#,
    #"{"v":1,"url":"https://dev.coder.com","account":"alice","method":"magic","access_token":"t"}"#,
    #"{"v":1,"url":"https://dev.coder.com","account":"alice","method":"oauth"}"#,
    #"{"v":0,"url":"https://dev.coder.com","account":"alice","method":"oauth","access_token":"t"}"#,
    #"{"url":"https://dev.coder.com","account":"alice","method":"oauth","access_token":"t"}"#,
    #"{"v":1,"url":"https://dev.coder.com","account":"alice","method":"oauth","access_token":"%0A"}"#,
    "hand-written note",
  ])
  func `is not read from another's payload`(payload: String) {
    #expect(throws: MalformedInput.self) {
      try StoredSession(payload: Secret(payload), deployment: deployment, account: "alice")
    }
  }

  @Test func `of a newer format is told apart`() {
    #expect(throws: MalformedInput.newerPayload(version: 2)) {
      try StoredSession(
        payload: #"{"v":2,"url":"https://dev.coder.com"}"#, deployment: deployment, account: "alice"
      )
    }
  }

  @Test(
    arguments: [
      (nil, true), (1060, true), (1059, false), (1000, false), (0, false), (Int64.max, true),
      (Int64.min, false),
    ] as [(Int64?, Bool)])
  func `is fresh while it lives long enough`(expiresAt: Int64?, isFresh: Bool) {
    #expect(session(expiresAt: expiresAt).isFresh(now: 1000, minimumSeconds: 60) == isFresh)
  }

  @Test func `at its last second is expired, whatever little is asked for`() {
    #expect(!session(expiresAt: 1000).isFresh(now: 1000, minimumSeconds: 0))
    #expect(session(expiresAt: 1001).isFresh(now: 1000, minimumSeconds: 0))
  }

  @Test func `is not fresh once a caller rejected it`() {
    #expect(!session(staleSince: 5).isFresh(now: 1000, minimumSeconds: 0))
  }

  @Test func `survives clocks at the ends of time`() {
    #expect(session(expiresAt: .max).secondsLeft(now: .min) == .max)
    #expect(session(expiresAt: .min).secondsLeft(now: .max) == .min)
  }

  @Test func `shows no secret when it is printed`() throws {
    var session = session()
    session.accessToken = "CANARY"
    session.refreshToken = "CANARY"
    var dumped = ""
    dump(session, to: &dumped)
    #expect(!dumped.contains("CANARY"))
    #expect(!"\(session) \(String(reflecting: session))".contains("CANARY"))
    #expect(!"\(try session.payload())".contains("CANARY"))
  }
}
