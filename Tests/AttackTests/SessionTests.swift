import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Ways to have a session lost, replaced, or given to somebody else.
@Suite(.blocking) struct `A stored session` {
  /// Another program may keep items that look like ours: what is in them says whose they are.
  @Test func `that another program has put beside ours serves nobody`() throws {
    try Desk.withSession { desk in
      let own = try desk.desktop.item()
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      // The same attributes and one more; those of another server with our payload; none of ours.
      for (attributes, url) in [
        (own.attributes.merging(["x": "y"]) { $1 }, desk.url),
        (own.attributes.merging(["account": "mallory"]) { $1 }, desk.url),
        (own.attributes.merging(["deployment": other.url]) { $1 }, other.url),
        (own.attributes.merging(["deployment": "https://evil.test"]) { $1 }, "https://evil.test"),
      ] {
        let payload = own.secret.replacing(own["access_token"] ?? "?", with: "planted")
        try desk.desktop.storeAsOtherApplication(payload, label: "planted", attributes)
        for arguments in [
          ["token", url], ["get", url], ["header", url], ["token", url, "--account", "mallory"],
        ] {
          for program in [desk.program, desk.fullProgram] {
            let result = try desk.desktop.run(program, arguments)
            if attributes["x"] == nil {
              #expect(!result.stdout.contains("planted"), "\(attributes): \(arguments)")
            }
          }
        }
        let planted = try desk.desktop.items(attributes).filter { $0.label == "planted" }
        #expect(planted.count == 1, "nothing of others is removed")
        for item in planted { try desk.desktop.edit(item, .delete) }
        #expect(other.requests.isEmpty)
      }
      try desk.token()
    }
  }

  /// A clock that is wrong by a day, or that begins anew, as after a flat battery.
  @Test(arguments: [-86_400, 86_400, -1_700_000_000, 3_000])
  func `outlives a clock that is wrong`(shift: Int) throws {
    try Desk.withSession { desk in
      let session = try desk.desktop.item()
      let issued = try #require(session.payload["issued_at"] as? Int)
      let expires = try #require(session.payload["expires_at"] as? Int)
      // The clock was so much ahead when the session was stored.
      try desk.desktop.change(
        session, ["issued_at": max(0, issued + shift), "expires_at": max(1, expires + shift)])
      let result = try desk.run(["token", desk.url])
      #expect(result.status == 0, "\(result.stderr)")
      #expect(desk.deployment.isValid(accessToken: result.lines.first ?? ""))
      #expect(desk.deployment.refreshes.count <= 1)
      try desk.token()
      #expect(desk.deployment.refreshes.count <= 1)
    }
  }

  /// A client that two machines share has one session of each person: the second sign-in ends the
  /// first machine's.
  @Test func `that a sign-in elsewhere has replaced ends with a word, and in no loop`() throws {
    try Desk.with { one in
      try Desk.with { two in
        let port = try LoopbackListener.freePort()
        let app = one.deployment.addApplication(
          name: "shared", redirectURIs: ["http://127.0.0.1:\(port)/callback"])
        let client = ["--client-id", app.id, "--port", "\(port)"]
        for desk in [one, two] {
          let result = try desk.run(
            ["login", one.url] + client, input: app.secret + "\n", environment: desk.browser())
          #expect(result.status == 0, "\(result.stderr)")
        }
        one.deployment.clearLog()
        let refused = try one.run(["api", "/api/v2/users/me"])
        #expect(refused.status != 0)
        let message = try one.run(["token", one.url])
        expectFailure(message, 1, saying: "coder-cred login \(one.url)")
        for _ in 1...3 { #expect(try one.run(["token", one.url]).status == 1) }
        #expect(one.deployment.requests.count <= 6, "\(one.deployment.requests.count)")
        // The other machine's goes on.
        #expect(try two.run(["refresh", one.url]).status == 0)
      }
    }
  }

  /// git tells every helper of its chain what it was given: one of them may be a plain file.
  @Test func `tells git no refresh token, which it would tell other helpers`() throws {
    try Desk.withSession { desk in
      let refreshToken = try #require(try desk.desktop.item()["refresh_token"])
      for capabilities in [
        "", "capability[]=authtype\n", "capability[]=authtype\ncapability[]=state\n",
      ] {
        for program in [desk.program, desk.fullProgram] {
          let result = try desk.desktop.run(
            program, ["get"], input: Array("\(capabilities)url=\(desk.url)\n\n".utf8))
          #expect(result.status == 0 && !result.stdout.contains(refreshToken))
          #expect(!result.stdout.contains("oauth_refresh_token"))
          #expect(!capabilities.contains("authtype") || result["ephemeral"] == "1")
        }
      }
    }
  }

  /// A caller that still has the former token says that it is bad; the present one is not.
  @Test func `is not erased by who was refused with a former token`() throws {
    try Desk.withSession { desk in
      let former = try desk.token()
      #expect(try desk.run(["refresh", desk.url]).status == 0)
      let present = try desk.token()
      try desk.desktop.expectUnchangedItems("erase") {
        for told in ["password=\(former)", "authtype=Bearer\ncredential=\(former)", "password=x"] {
          expectSilence(
            try desk.run(["erase"], input: desk.request("username=alice", told)), told)
        }
      }
      #expect(try desk.token() == present)
      // The present one, erased, is refreshed, and its refresh token is not revoked.
      let refreshToken = try #require(try desk.desktop.item()["refresh_token"])
      expectSilence(
        try desk.run(["erase"], input: desk.request("username=alice", "password=\(present)")))
      #expect(desk.deployment.isValid(refreshToken: refreshToken))
      try desk.forgetFailures()
      #expect(try desk.token() != present)
    }
  }
}
