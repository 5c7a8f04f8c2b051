import Credentials
import Foundation
import Secrets
import TestDesk
import Testing

/// The fast path is an accelerator: it decides nothing differently.
@Suite(.blocking) struct `Fast path and full program write the same, to the last byte` {
  /// Every way to ask for a deployment.
  static func ways(to url: String) -> [Invocation] {
    [
      .words("get", input: "url=\(url)\n\n"),
      .words(
        "get", input: "capability[]=authtype\ncapability[]=state\nurl=\(url)\nusername=alice\n"),
      .words("get", url), .words("get", url, "--format", "json"),
      .words("token", url), .words("header", url),
      .words("header", "--format=json", "--account", "alice", url),
    ]
  }

  @Test func `for sessions fresh, stale, ending, of several accounts, and none`() throws {
    try Desk.with { desk in
      let now = Int64(time(nil))
      try desk.store("https://fresh.example")
      try desk.store("https://stale.example") {
        $0.staleSince = now - 5
        $0.refreshToken = nil
      }
      try desk.store("https://dead.example") {
        $0.expiresAt = now - 5
        $0.refreshToken = nil
      }
      try desk.store("https://no-client.example") { $0.expiresAt = now - 5 }
      try desk.store("https://ending.example") {
        $0.expiresAt = Int64(time(nil)) + 50
        $0.refreshToken = nil
      }
      try desk.store("https://marked.example") { $0.refreshingSince = now - 5 }
      for account in ["alice", "bob"] {
        try desk.store("https://two.example", account: account)
      }
      try desk.store("https://endless.example", account: "") {
        $0.expiresAt = nil
        $0.method = .token
      }
      try desk.store("https://basic.example") { $0.method = .basic }
      try desk.store("https://path.example/coder")
      try desk.store("http://127.0.0.1:3000")
      try desk.store("http://readable.example")
      try desk.store("https://[::1]:8443") { $0.tokenType = "bearer" }
      // The one that ends soon comes first.
      for url in [
        "https://ending.example", "https://fresh.example", "https://stale.example",
        "https://dead.example",
        "https://no-client.example", "https://marked.example",
        "https://two.example", "https://endless.example", "https://basic.example",
        "https://path.example/coder", "https://path.example/coder/api", "https://path.example",
        "http://127.0.0.1:3000", "http://readable.example", "https://[::1]:8443",
        "https://unknown.example",
      ] {
        try desk.expectSameOutput(Self.ways(to: url))
      }
    }
  }

  @Test(arguments: [
    "account=alice", "account=bob", "account=carol", "account=", "account=old", "account=git", nil,
  ])
  func `for the active account among several`(setting: String?) throws {
    let url = "https://several.example"
    try Desk.with { desk in
      let now = Int64(time(nil))
      for account in ["alice", "bob", "carol"] {
        try desk.store(url, account: account) { if account == "carol" { $0.signedInAt = now } }
      }
      try desk.store(url, account: "old") {
        $0.expiresAt = now - 5
        $0.refreshToken = nil
      }
      try desk.store(url, account: "git") { $0.method = .basic }
      try desk.store("https://basic.example", account: "git") { $0.method = .basic }
      let line = setting.map { "\($0)\n" } ?? ""
      for group in ["[coder-cred]", "[\(url)]", "[\(url)/team]"] {
        try desk.write(
          "\(group)\n\(line)[https://basic.example]\n\(line)", to: desk.configuration)
        try desk.expectSameOutput(
          Self.ways(to: url) + [
            .words("token", "\(url)/team"), .words("token", url, "--account", "bob"),
            .words("token", url, "--account", "git"), .words("token"),
            .words("get", input: "url=\(url)\nusername=git\n\n"),
            .words("get", input: "url=https://basic.example\n\n"),
            .words("token", "https://basic.example"),
          ])
      }
    }
  }

  @Test func `for items that are not ours to use`() throws {
    try Desk.with { desk in
      let good = { (url: String) in
        #""url":"\#(url)","account":"alice","method":"token","access_token":"tok""#
      }
      let payloads: [String: String] = [
        "https://newer.example": "{\"v\":2,\(good("https://newer.example"))}",
        "https://foreign.example": "open sesame",
        "https://other-url.example": "{\"v\":1,\(good("https://fresh.example"))}",
        "https://other-account.example":
          "{\"v\":1,\(good("https://other-account.example").replacing("alice", with: "mallory"))}",
        "https://blank.example":
          "{\"v\":1,\(good("https://blank.example").replacing("tok", with: "to k"))}",
        "https://odd-type.example":
          "{\"v\":1,\"token_type\":\"Bea%0Arer\",\(good("https://odd-type.example"))}",
        "https://long.example": "{\"v\":1,\"x\":\"\(String(repeating: "x", count: 65_400))\","
          + "\(good("https://long.example"))}",
        "https://empty.example": "",
      ]
      for (url, payload) in payloads { try desk.store(Secret(payload), at: url) }
      for url in payloads.keys.sorted() {
        try desk.expectSameOutput([
          .words("get", input: "url=\(url)\n\n"), .words("token", url), .words("header", url),
        ])
      }
      let nameless = "https://no-attribute.example"
      try desk.store(Secret("{\"v\":1,\(good(nameless))}"), at: nameless, account: nil)
      try desk.expectSameOutput(Self.ways(to: nameless))
    }
  }

  @Test func `for requests and command lines of every kind`() throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      try desk.expectSameOutput(Self.inputs.map { .words("get", input: $0) })
      try desk.expectSameOutput(Self.commands + Self.environments(desk.desktop) + Self.shells)
    }
  }

  @Test(arguments: [
    SecretServiceProvider.locked, .plaintext, .withoutCollection, .withoutService, .withoutBus,
  ])
  func `for keyrings in every state`(kind: SecretServiceProvider) throws {
    try Desk.with(kind) { desk in
      if case .gnomeKeyring(.plaintext) = kind { try desk.store("https://fresh.example") { _ in } }
      try desk.expectSameOutput(Self.ways(to: "https://fresh.example") + [.words("token")])
    }
  }

  @Test func `for a keyring that is locked later`() throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      try desk.desktop.lock()
      try desk.expectSameOutput(Self.ways(to: "https://fresh.example") + [.words("header")])
    }
  }

  @Test(arguments: [
    "", "\n\n# nothing\n", "[coder-cred]\nrefresh-margin=99999\n",
    "[coder-cred]\nrefresh-margin = 5\ndefault-deployment=https://fresh.example\n",
    "[coder-cred]\ndefault-deployment = \n", "[coder-cred]\nrefresh-margin=x\n",
    "[coder-cred]\nrefresh-margin=99999\nrefresh-margin=7\n", "refresh-margin=5\n", "nonsense",
    "[coder-cred]\nrefresh-margin=99999\n[https://fresh.example]\nrefresh-margin=1\n",
    "[https://fresh.example]\nrefresh-margin=999999\n",
    "[https://fresh.example]\nrefresh-margin=-1",
    "[coder-cred]\ndefault-deployment=https://fr\\sesh.example\n", "[]\n", "[a]b]\n", "[\u{E9}]\n",
    "[coder-cred]\nrefresh-margin=5 \n", "[coder-cred]\nrefresh-margin[de]=5\n", "[coder-cred\n",
    "[coder-cred]\nallow-http=true\nca-file=/nowhere\n", "\u{0}", "[coder-cred]\n=5\n",
  ])
  func `for settings of every kind`(text: String) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example") { $0.refreshToken = nil }
      try desk.write(text, to: desk.configuration)
      try desk.expectSameOutput([
        .words("get", input: "url=https://fresh.example\n\n"), .words("token"),
        .words("token", "https://fresh.example", with: ["CODER_CRED_CONFIG": "/dev/null"]),
      ])
    }
  }
}
