import Credentials
import Secrets
import Testing

/// The rules that the fast path and the full program must agree on.
@Suite struct `Who and where is meant` {
  @Test(
    arguments: [
      // What stands where: argument, CLAUDE_CODE_MCP_SERVER_URL, CODER_URL, setting; what is meant.
      (["a", "b", "c", "d"], "https://a"), ([nil, "b", "c", "d"], "https://b"),
      ([nil, nil, "c", "d"], "https://c"), ([nil, nil, nil, "d"], "https://d"),
      ([nil, nil, nil, nil], nil), ([" a\n", nil, nil, nil], "https://a"),
      ([nil, nil, "\thttps://c\r\n", nil], "https://c"),
      (
        [nil, "https://b:8443/api/experimental/mcp/http?x=1#y", nil, nil],
        "https://b:8443/api/experimental/mcp/http"
      ),
    ] as [([String?], String?)])
  func `is the first that is named`(named: [String?], deployment: String?) throws {
    let variables = ["CLAUDE_CODE_MCP_SERVER_URL": named[1], "CODER_URL": named[2]]
    let choice = try DeploymentChoice.named(named[0], setting: named[3]) { variables[$0] ?? nil }
    #expect(choice?.url == deployment)
  }

  @Test(arguments: ["", " ", "https://", "https://u:p@h", "not a URL", "h?x"])
  func `is nothing else when what is named is unusable`(url: String) {
    #expect(throws: MalformedInput.self) {
      try DeploymentChoice.named(url, setting: "d") { _ in "c" }
    }
    #expect(throws: MalformedInput.self) {
      try DeploymentChoice.named(nil, setting: "d") { name in
        name == "CODER_URL" ? url : nil
      }
    }
  }

  @Test(
    arguments: [
      // Asked for, stored; served; exactly that account.
      (nil, "alice", true, true), ("alice", "alice", true, true), ("bob", "alice", false, false),
      ("", "alice", false, false), (nil, "", true, true), ("alice", "", true, false),
      ("", "", true, true), ("Alice", "alice", false, false),
    ] as [(String?, String, Bool, Bool)])
  func `is one account, or whoever is signed in`(
    asked: String?, stored: String, isServed: Bool, isExact: Bool
  ) throws {
    #expect(AccountMatch.serves(asked, with: stored) == isServed)
    #expect(AccountMatch.isExact(asked, stored) == isExact)
    let deployment = try Deployment(url: "https://h/coder")
    let below = try Deployment(url: "https://h/coder/a")
    let request = CredentialRequest(deployment: deployment, username: asked)
    for method in [StoredSession.Method.oauth, .token, .basic] {
      let session = StoredSession(
        deployment: deployment, account: stored, method: method, accessToken: "t")
      #expect(request.isServed(by: session) == (method == .basic ? isExact : isServed))
      #expect(
        CredentialRequest(deployment: below, username: asked).isServed(by: session)
          == (method != .basic && isServed))
      for other in ["https://h", "http://h/coder", "https://h:8443/coder", "https://h/coderx"] {
        let request = CredentialRequest(deployment: try Deployment(url: other), username: asked)
        #expect(!request.isServed(by: session))
      }
    }
  }

  @Test(
    arguments: [
      ([:], nil), (["HOME": "/h"], "/h/.config/coder-cred/config"),
      (["HOME": "/h", "XDG_CONFIG_HOME": "/x"], "/x/coder-cred/config"),
      (["HOME": "/h", "XDG_CONFIG_HOME": "x"], "/h/.config/coder-cred/config"),
      (["HOME": "h"], nil), (["CODER_CRED_CONFIG": "c", "HOME": "/h"], "c"),
    ] as [([String: String], String?)])
  func `has settings in one place`(variables: [String: String], path: String?) {
    #expect(SettingsLocation.path { variables[$0] } == path)
  }

  @Test func `is found by attributes of which no set is part of another`() throws {
    let deployment = try Deployment(url: "https://h:1/p")
    let sets = [
      ItemIdentity.session(of: deployment, account: ""),
      ItemIdentity.session(of: deployment, account: "alice"),
      ItemIdentity.registration(of: deployment),
    ]
    for (index, set) in sets.enumerated() {
      for (place, other) in sets.enumerated() where place != index {
        #expect(!set.allSatisfy { other[$0.key] == $0.value })
      }
    }
    #expect(
      sets[1] == [
        "application": "coder-cred", "kind": "session", "deployment": "https://h:1/p",
        "account": "alice",
      ])
    #expect(
      sets[2] == ["application": "coder-cred", "kind": "client", "deployment": "https://h:1/p"])
    #expect(ItemIdentity.session(of: nil) == ["application": "coder-cred", "kind": "session"])
  }

  @Test func `is called by its name first`() throws {
    let deployment = try Deployment(url: "https://dev.coder.com/x")
    var session = StoredSession(
      deployment: deployment, account: "alice", method: .oauth, accessToken: "t")
    #expect(ItemIdentity.label(of: session) == "alice @ dev.coder.com/x (Coder)")
    session.account = "al\u{202E}ice\u{9B}31m"
    #expect(ItemIdentity.label(of: session) == "alice 31m @ dev.coder.com/x (Coder)")
    (session.account, session.method) = ("", .basic)
    #expect(ItemIdentity.label(of: session) == "dev.coder.com/x (password)")
    #expect(
      ItemIdentity.registrationLabel(of: deployment) == "dev.coder.com/x (Coder OAuth client)")
  }

  @Test(arguments: [
    (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func `is digested as the standard's examples are`(length: Int, digest: String) {
    let hex = { (bytes: [UInt8]) in
      bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
    #expect(hex(SHA256.digest(Secret(String("abc".prefix(length))))) == digest)
    // FIPS 180-4 examples: two blocks, and a million letters.
    #expect(
      hex(SHA256.digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  @Test(arguments: [55, 56, 57, 63, 64, 65, 119, 120, 1_000])
  func `is digested at the edges of blocks`(length: Int) {
    let digest = SHA256.digest(Array(repeating: UInt8(ascii: "a"), count: length))
    #expect(digest.count == 32)
    #expect(digest != SHA256.digest(Array(repeating: UInt8(ascii: "a"), count: length + 1)))
  }
}
