import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Signing out of one of several, of a password, of what cannot be read.
@Suite(.blocking) struct `logout, in plain words` {
  private static func password(_ user: String, _ secret: String) -> String {
    "protocol=https\nhost=git.example.com\nusername=\(user)\npassword=\(secret)\n"
  }

  @Test func `Of several accounts one must be named, by a command that can be pasted`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login(as: "alice")
      try desk.login(as: "bob")
      let several = try desk.run(["logout", desk.url])
      expectFailure(several, 64, saying: "coder-cred logout \(desk.url) --account alice")
      #expect(try desk.run(["logout", desk.url, "--account", "bob"]).status == 0)
      // Nobody is left to choose from.
      #expect(!FileManager.default.fileExists(atPath: desk.configuration))
      #expect(try desk.run(["get", desk.url])["username"] == "alice")
    }
  }

  @Test func `The default deployment goes with its last session`() throws {
    try Desk.with { desk in
      let other = try desk.anotherDeployment()
      defer { other.stop() }
      try desk.login()
      try desk.login(to: other.url)
      #expect(try desk.run(["use", desk.url]).status == 0)
      let result = try desk.run(["logout"])
      #expect(result.stderr.contains("Signed out of \(desk.url) as alice."))
      #expect(result.stderr.contains("\(desk.url) is no longer the default deployment."))
      #expect(try desk.run(["use"]).output.isEmpty)
      #expect(try desk.run(["token"]).status == 0)
      #expect(try desk.run(["use", other.url]).status == 0)
      #expect(try desk.run(["logout", "--all"]).status == 0)
      #expect(try desk.run(["use"]).output.isEmpty)
      #expect(try desk.run(["logout"]).stderr == "Nobody is signed in.\n")
    }
  }

  @Test func `A default that is gone does not hide who is signed in`() throws {
    try Desk.withSession { desk in
      #expect(try desk.run(["use", "--force", "https://gone.example"]).status == 0)
      let result = try desk.run(["logout"])
      expectFailure(result, 64, saying: "nobody is signed in to the default deployment")
      #expect(result.message("hint") == "coder-cred logout \(desk.url)")
      #expect(try desk.sessions().count == 1)
    }
  }

  @Test func `A password that is kept for git goes when it is meant`() throws {
    try Desk.with { desk in
      try desk.run(["store"], input: Self.password("ann", desk.plant()))
      let one = try desk.run(["logout", "git.example.com"])
      #expect(one.status == 0)
      #expect(
        one.stderr == "Removed the password of ann for https://git.example.com, kept for git.\n")
      #expect(try desk.sessions().isEmpty)
      try desk.run(["store"], input: Self.password("ann", desk.plant("1")))
      try desk.run(["store"], input: Self.password("ben", desk.plant("2")))
      let several = try desk.run(["logout", "git.example.com"])
      expectFailure(several, 64, saying: "several passwords are kept for https://git.example.com")
      #expect(several.stderr.contains("logout https://git.example.com --account ann"))
      #expect(try desk.run(["logout", "git.example.com", "--account", "ben"]).status == 0)
      #expect(try desk.sessions().map(\.account) == ["ann"])
      #expect(try desk.run(["logout", "--all"]).status == 0)
      #expect(try desk.sessions().map(\.account) == ["ann"])
      #expect(try desk.run(["logout", "git.example.com", "--all"]).status == 0)
      #expect(try desk.sessions().isEmpty)
    }
  }

  @Test func `Passwords that are kept for git are named when everything else goes`() throws {
    try Desk.withSession { desk in
      try desk.run(["store"], input: Self.password("ann", desk.plant()))
      let kept =
        "Kept for git: ann at https://git.example.com; to remove: coder-cred logout "
        + "https://git.example.com\n"
      let all = try desk.run(["logout", "--all"])
      #expect(all.status == 0)
      #expect(all.stderr == "Signed out of 1 session with 1 deployment.\n\(kept)")
      try desk.login()
      let bare = try desk.run(["logout"])
      #expect(bare.status == 0 && bare.stderr.hasSuffix(kept), "\(bare.stderr)")
      #expect(try desk.sessions().map(\.account) == ["ann"])
    }
  }

  @Test func `The address of a page or a repository leads to what is kept for its server`() throws {
    try Desk.withSession { desk in
      try desk.run(["store"], input: Self.password("ann", desk.plant()))
      let page = "https://git.example.com/project.git"
      let status = try desk.run(["status", page])
      #expect(status.status == 0, "\(status.stderr)")
      #expect(status.stdout.contains("https://git.example.com (password kept for git)\n"))
      #expect(status.stdout.contains("state:      kept, never checked\n"))
      #expect(try desk.run(["status", desk.url + "/workspaces"]).stdout.contains("alice"))
      // What is removed is never guessed.
      for (page, what) in [(page, "a password of ann"), (desk.url + "/x", "a session of alice")] {
        let result = try desk.run(["logout", page])
        #expect(result.status == 0)
        #expect(result.stderr.contains("But \(what) is kept for "), "\(result.stderr)")
      }
      #expect(try desk.sessions().count == 2)
    }
  }

  @Test func `A password beside a session stays, unless it is named`() throws {
    try Desk.withSession { desk in
      let lines = desk.request("username=ann", "password=\(desk.plant())")
      let item = try #require(try desk.sessions().first)
      try desk.desktop.change(item, ["expires_at": 1, "refresh_token": NSNull()])
      try desk.run(["store"], input: lines)
      #expect(try desk.sessions().map(\.account) == ["alice", "ann"])
      #expect(try desk.run(["logout", desk.url, "--keep-client"]).status != 64)
      #expect(try desk.sessions().map(\.account) == ["ann"])
      #expect(try desk.run(["logout", desk.url, "--account", "ann"]).status == 0)
      #expect(try desk.sessions().isEmpty)
    }
  }

  @Test func `What cannot be read is removed with --force, and said`() throws {
    try Desk.with(.unlocked, .init(era: .c, users: ["alice", "bob"])) { desk in
      try desk.login(as: "alice")
      try desk.login(as: "bob")
      let bob = try #require(try desk.sessions().last)
      try desk.desktop.overwrite(bob, with: #"{"v":99}"#)
      let refused = try desk.run(["logout", desk.url])
      expectFailure(refused, 65, saying: "coder-cred logout \(desk.url) --account bob --force")
      let forced = try desk.run(["logout", desk.url, "--account", "bob", "--force"])
      #expect(forced.status == 0)
      #expect(
        forced.stderr.contains("Removed the keyring item of the session with \(desk.url) as bob"))
      #expect(forced.stderr.contains("stay valid until they expire"))
      #expect(try desk.sessions().map(\.account) == ["alice"])
      // The registration, too, once nobody needs it.
      try desk.desktop.overwrite(try desk.registration(), with: "open sesame")
      let all = try desk.run(["logout", "--all", "--force"])
      #expect(all.status == 76 || all.status == 0, "\(all.stderr)")
      #expect(all.stderr.contains("Removed the keyring item of this machine's OAuth client"))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `Without --force nothing that cannot be read is touched`() throws {
    try Desk.withSession { desk in
      try desk.desktop.overwrite(try #require(try desk.sessions().first), with: "open sesame")
      let before = try desk.desktop.items()
      expectFailure(try desk.run(["logout", desk.url]), 65)
      #expect(try desk.run(["logout", "--all"]).status == 65)
      #expect(try desk.desktop.items() == before)
    }
  }

  @Test func `Tokens that could not be revoked are said to stay valid`() throws {
    try Desk.withSession { desk in
      desk.deployment.expireAccessTokens()
      desk.deployment.setProvider(enabled: false)
      let result = try desk.run(["logout", desk.url, "--keep-client"])
      #expect(
        result.message("warning")
          == "could not revoke the tokens; they stay valid until they expire: the access token has "
          + "expired already")
    }
  }
}
