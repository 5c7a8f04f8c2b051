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
    session.keptUntil = 3000
    session.keptSeconds = 604_800
    let payload = try session.payload()
    #expect(
      try StoredSession(payload: payload, deployment: deployment, account: "alice") == session)
  }

  @Test func `keeps the fields that a later version added`() throws {
    let line = """
      {"v":1,"url":"https://dev.coder.com","later":"a %22","account":"alice","method":"oauth",\
      "access_token":"old","count":7,"scope":5}
      """
    var session = try StoredSession(
      payload: Secret(line), deployment: deployment, account: "alice")
    session.accessToken = "new"
    session.refreshToken = "r"
    var stored = try Payload(parsing: session.payload())
    #expect(stored[text: "later"] == "a \"" && stored[number: "count"] == 7)
    #expect(stored.take(secret: "access_token") == "new" && stored[text: "access_token"] == nil)
    // What we know by name and cannot read stays too, until we have something to write there.
    #expect(stored[number: "scope"] == 5)
    session.scope = "all"
    #expect(try Payload(parsing: session.payload())[text: "scope"] == "all")
  }

  @Test(arguments: [
    "Bearer\r\nX: y", "Bea rer", "", "B\u{E4}r", "Bearer:", "a\tb", "\"Bearer\"",
  ])
  func `has a token type of one word, read and written`(tokenType: String) throws {
    var session = session()
    session.tokenType = tokenType
    #expect(throws: MalformedInput.self) { try session.payload() }
    var payload = Payload()
    payload[number: "v"] = 1
    payload[text: "url"] = deployment.url
    payload[text: "account"] = "alice"
    payload[text: "method"] = "token"
    payload[text: "token_type"] = tokenType
    payload[secret: "access_token"] = "t"
    let line = try payload.encoded()
    #expect(throws: MalformedInput.self) {
      try StoredSession(payload: line, deployment: deployment, account: "alice")
    }
    payload[text: "token_type"] = "DPoP"
    #expect(
      try StoredSession(payload: payload.encoded(), deployment: deployment, account: "alice")
        .tokenType == "DPoP")
  }

  @Test(arguments: [("0", 0), ("0060", 60), ("31536000", 31_536_000)] as [(String, Int64)])
  func `may be asked to live longer`(text: String, seconds: Int64) {
    #expect(StoredSession.margin(text) == seconds)
  }

  @Test(arguments: ["", "-1", "+5", "5 ", "31536001", "99999999999999999999", "\u{661}", "1e3"])
  func `is not asked to live for what is no number of seconds`(text: String) {
    #expect(StoredSession.margin(text) == nil)
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
