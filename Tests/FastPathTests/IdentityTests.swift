import Credentials
import Foundation
import Secrets
import TestDesk
import Testing

/// The door is an accelerator, never a second truth.
@Suite struct `The door answers as the engine does, to the last byte` {
  /// Every way to ask for a deployment.
  static func ways(to url: String) -> [Stage.Request] {
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
    let stage = try Stage()
    let now = Int64(time(nil))
    try stage.keep("https://fresh.example") { _ in }
    try stage.keep("https://stale.example") {
      $0.staleSince = now - 5
      $0.refreshToken = nil
    }
    try stage.keep("https://dead.example") {
      $0.expiresAt = now - 5
      $0.refreshToken = nil
    }
    try stage.keep("https://no-client.example") { $0.expiresAt = now - 5 }
    try stage.keep("https://ending.example") {
      $0.expiresAt = now + 30
      $0.refreshToken = nil
    }
    try stage.keep("https://marked.example") { $0.refreshingSince = now - 5 }
    for account in ["alice", "bob"] {
      try stage.keep("https://two.example", account: account) { _ in }
    }
    try stage.keep("https://endless.example", account: "") {
      $0.expiresAt = nil
      $0.method = .token
    }
    try stage.keep("https://basic.example") { $0.method = .basic }
    try stage.keep("https://path.example/coder") { _ in }
    try stage.keep("http://127.0.0.1:3000") { _ in }
    try stage.keep("http://readable.example") { _ in }
    try stage.keep("https://[::1]:8443") { $0.tokenType = "bearer" }
    for url in [
      "https://fresh.example", "https://stale.example", "https://dead.example",
      "https://no-client.example", "https://ending.example", "https://marked.example",
      "https://two.example", "https://endless.example", "https://basic.example",
      "https://path.example/coder", "https://path.example/coder/api", "https://path.example",
      "http://127.0.0.1:3000", "http://readable.example", "https://[::1]:8443",
      "https://unknown.example",
    ] {
      try stage.expectAlike(Self.ways(to: url))
    }
  }

  @Test func `for items that are not ours to use`() throws {
    let stage = try Stage()
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
    for (url, payload) in payloads { try stage.keep(Secret(payload), at: url) }
    for url in payloads.keys.sorted() {
      try stage.expectAlike([
        .words("get", input: "url=\(url)\n\n"), .words("token", url), .words("header", url),
      ])
    }
    let nameless = "https://no-attribute.example"
    try stage.keep(Secret("{\"v\":1,\(good(nameless))}"), at: nameless, account: nil)
    try stage.expectAlike(Self.ways(to: nameless))
  }

  @Test func `for requests and command lines of every kind`() throws {
    let stage = try Stage()
    try stage.keep("https://fresh.example") { _ in }
    try stage.expectAlike(Self.inputs.map { .words("get", input: $0) })
    try stage.expectAlike(Self.commands + Self.environments(stage.session) + Self.shells)
  }

  @Test(arguments: [
    SecretServiceProvider.locked, .plaintext, .withoutCollection, .withoutService, .withoutBus,
  ])
  func `for keyrings in every state`(kind: SecretServiceProvider) throws {
    let stage = try Stage(kind)
    if case .gnomeKeyring(.plaintext) = kind { try stage.keep("https://fresh.example") { _ in } }
    try stage.expectAlike(Self.ways(to: "https://fresh.example") + [.words("token")])
  }

  @Test func `for a keyring that is locked later`() throws {
    let stage = try Stage()
    try stage.keep("https://fresh.example") { _ in }
    try stage.session.lock()
    try stage.expectAlike(Self.ways(to: "https://fresh.example") + [.words("header")])
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
    let stage = try Stage()
    try stage.keep("https://fresh.example") { $0.refreshToken = nil }
    try stage.configure(text)
    try stage.expectAlike([
      .words("get", input: "url=https://fresh.example\n\n"), .words("token"),
      .words("token", "https://fresh.example", with: ["CODER_CRED_CONFIG": "/dev/null"]),
    ])
  }
}
