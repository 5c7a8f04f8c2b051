import Credentials
import Secrets
import Testing

@Suite struct `A plain credential that is kept` {
  private func request(_ lines: String...) throws -> CredentialRequest {
    try CredentialRequest(
      parsing: Array((["protocol=https", "host=h.example"] + lines).joined(separator: "\n").utf8))
  }

  private func stored(_ lines: [String]) throws -> StoredSession {
    let request = try CredentialRequest(
      parsing: Array((["protocol=https", "host=h.example"] + lines).joined(separator: "\n").utf8))
    return try #require(request.session(now: 1000))
  }

  private static let password = ["username=u", "password=p"]
  private static let encoded = ["authtype=Basic", "credential=dTpw"]

  @Test(arguments: [password, encoded, password + encoded, ["path=a/b"] + password + encoded])
  func `survives the keyring`(lines: [String]) throws {
    var session = try stored(lines + ["oauth_refresh_token=r", "password_expiry_utc=7"])
    session.storedAt = 5
    let again = try StoredSession(
      payload: session.payload(), deployment: session.deployment, account: session.account)
    #expect(again == session && again.isPlain)
    #expect(again.hasSameCredential(as: session))
  }

  @Test(arguments: [
    (password, ["password=p"], true), (password, ["password=q"], false),
    (password, ["credential=p"], false), (password, ["password=p", "credential=dTpw"], false),
    (encoded, ["credential=dTpw"], true), (encoded, ["password=dTpw"], false),
    (password + encoded, ["password=p"], true), (password + encoded, ["credential=dTpw"], true),
    (password + encoded, ["password=p", "credential=dTpw"], true),
    (password + encoded, ["password=q", "credential=dTpw"], false), (password, [], false),
  ])
  func `is told of when every form that is told is its own`(
    kept: [String], told: [String], isTold: Bool
  ) throws {
    let request = try CredentialRequest(
      parsing: Array((["protocol=https", "host=h.example"] + told).joined(separator: "\n").utf8))
    #expect(request.tellsSecret(of: try stored(kept)) == isTold)
  }

  @Test func `is told of in either form if it is a token that we gave`() throws {
    let session = StoredSession(
      deployment: try Deployment(url: "https://h.example"), account: "u", method: .oauth,
      accessToken: "t")
    #expect(try request("password=t").tellsSecret(of: session))
    #expect(try request("authtype=Bearer", "credential=t").tellsSecret(of: session))
    #expect(try !request("password=t", "credential=x").tellsSecret(of: session))
  }

  @Test func `is found by its server if it has a path`() throws {
    let session = try stored(["path=a/b"] + Self.password)
    let attributes = ItemIdentity.item(of: session)
    #expect(attributes["server"] == "https://h.example")
    #expect(attributes["deployment"] == "https://h.example/a/b")
    let search = ItemIdentity.plainSessions(on: session.deployment.server)
    #expect(search.allSatisfy { attributes[$0.key] == $0.value })
    #expect(try ItemIdentity.item(of: stored(Self.password))["server"] == nil)
    #expect(ItemIdentity.label(of: try stored(Self.encoded)) == "h.example (credential)")
  }

  @Test func `serves what it was stored for, and what a request leaves open`() throws {
    let session = try stored(["path=a.git"] + Self.password)
    #expect(try request().isServed(by: session))
    #expect(try request("path=a.git", "username=u").isServed(by: session))
    #expect(try !request("path=b.git").isServed(by: session))
    #expect(try !request("path=a.git/info").isServed(by: session))
    #expect(try !request("username=v").isServed(by: session))
    // A URL on the command line leaves nothing open.
    #expect(!CredentialRequest(deployment: session.deployment.server).isServed(by: session))
    #expect(CredentialRequest(deployment: session.deployment).isServed(by: session))
    let token = try stored(Self.encoded)
    #expect(try !request().isServed(by: token))
    #expect(try request("capability[]=authtype").isServed(by: token))
    #expect(try !request("capability[]=authtype", "username=v").isServed(by: token))
  }

  @Test func `is a deployment's only if it could be one's`() throws {
    #expect(try !stored(Self.password).isForDeployment)
    #expect(try !stored(Self.encoded).isForDeployment)
    #expect(try stored(["authtype=bearer", "credential=t"]).isForDeployment)
  }
}

@Suite struct `Application hosts` {
  private let deployment: Deployment

  init() throws { deployment = try Deployment(url: "https://dev.example.com") }

  @Test(arguments: [
    ("*.apps.example.com", "https://x.apps.example.com", true),
    ("*.apps.example.com", "https://X.Apps.Example.com:443/a", true),
    ("*.apps.example.com", "https://apps.example.com", false),
    ("*.apps.example.com", "https://x.apps.example.com.evil", false),
    ("*.apps.example.com", "https://a.b.apps.example.com", false),
    ("*.apps.example.com", "http://x.apps.example.com", false),
    ("*.apps.example.com", "https://x.apps.example.com:8443", false),
    ("*.apps.example.com:8443", "https://x.apps.example.com:8443", true),
    ("*.apps.example.com:8443", "https://x.apps.example.com", false),
    ("*--apps.example.com", "https://x--apps.example.com", true),
    ("*--apps.example.com", "https://apps.example.com", false),
    ("*.example.com", "https://x.example.com", true),
    ("*.example.com", "https://dev.example.com/x", false),
    ("*.apps.example.com", "https://xapps.example.com", false),
  ])
  func `match one part of a label`(pattern: String, url: String, isMatch: Bool) throws {
    let hosts = try #require(ApplicationHosts(pattern, of: deployment))
    #expect(try hosts.contain(Deployment(url: url)) == isMatch)
  }

  @Test(arguments: [
    "", "*", "*.", "*.com", "*com", "x.example.com", "*.*.example.com", "*.example.com/x",
    "*.example..com", "**.example.com", "*@evil.example.com", "*.example.com:x", "*..example.com",
  ])
  func `are no pattern that could stand for others' hosts`(pattern: String) {
    #expect(ApplicationHosts(pattern, of: deployment) == nil)
  }
}
