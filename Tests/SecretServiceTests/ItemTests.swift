import PrivateSession
import SecretService
import Secrets
import Testing

/// The attributes of one session, as the engine writes them.
func sessionAttributes(_ account: String = "alice") -> Attributes {
  [
    "application": "coder-cred", "kind": "session", "deployment": "https://dev.coder.com",
    "account": account,
  ]
}

/// What the tests call a token.
func token(_ text: String = "tok-1") -> Secret { Secret(text) }

@Suite struct `Items of an unlocked keyring` {
  let session: PrivateSession
  let service: SecretService

  init() throws {
    session = try PrivateSession(.unlocked)
    service = try SecretService(busAddress: session.busAddress)
  }

  @Test func `What is stored is found, read and deleted again`() throws {
    try service.store(token(), label: "Coder session", attributes: sessionAttributes())
    let found = try service.search(sessionAttributes())
    let item = try #require(found.first)
    #expect(found.count == 1)
    #expect(item.attributes == sessionAttributes())
    #expect(item.label == "Coder session")
    #expect(!item.isLocked)
    #expect(item.modified > 1_600_000_000)
    #expect(try service.secret(of: item) == token())
    try service.delete(item)
    #expect(try service.search(sessionAttributes()).isEmpty)
  }

  @Test func `experiment`() throws {
    try service.store(token(), label: "Coder session", attributes: sessionAttributes())
    let r = try session.run("secret-tool", ["search", "--all", "application", "coder-cred"])
    print(r.stdout, r.stderr)
    func st(_ label: String, _ a: [String], _ s: String) throws { let r = try session.run("secret-tool", ["store", "--label=\(label)"] + a, input: Array(s.utf8)); print(r.status, r.stderr) }
    print("-- superset by another app, then CreateItem directly")
    try st("foreign", ["x","1","y","2"], "foreign")
    do { try service.store(token("mine"), label: "mine", attributes: ["x": "1"]) } catch { print("error", error) }
    print(try session.run("secret-tool", ["search", "--all", "x", "1"]).stdout)
    print("-- same attributes, other schema")
    try st("foreign", ["p","1"], "foreign")
    do { try service.store(token("mine"), label: "mine", attributes: ["p": "1"]) } catch { print("error", error) }
    print(try session.run("secret-tool", ["search", "--all", "p", "1"]).stdout)
    print("-- other app stores subset of ours")
    try st("foreign", ["application","coder-cred","kind","session"], "foreign")
    print(try session.run("secret-tool", ["search", "--all", "application", "coder-cred"]).stdout)
    try session.lock()
    for i in try service.search(["application": "coder-cred"]) { print(i) }
    try session.unlock()
    for i in try service.search(["application": "coder-cred"]) { print(i) }
    print(session.journal)
  }
}
