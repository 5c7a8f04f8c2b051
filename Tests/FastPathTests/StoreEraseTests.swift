import Credentials
import Foundation
import TestDesk
import Testing

/// git says `store` after each success, and `erase` after each refusal.
@Suite(.blocking) struct `What git tells the fast path` {
  static let oauth = "protocol=https\nhost=fresh.example\n"
  static let basic = "protocol=https\nhost=basic.example\n"
  static let told = "authtype=Bearer\ncredential=\(storedToken)\n"

  /// Calls that change nothing.
  static let idle: [Invocation] = [
    .words("capability"),
    .words("store", input: "\(oauth)username=alice\npassword=\(storedToken)\n\n"),
    .words("store", input: "capability[]=authtype\n\(told)\(oauth)username=alice\n\n"),
    .words("store", input: "capability[]=authtype\n\(told)ephemeral=1\n\(oauth)\n"),
    .words("store", "--account", "alice", input: "\(oauth)\(told)\n"),
    .words("store", input: "\(basic)username=alice\npassword=\(storedToken)\n"),
    .words("store", input: "\(basic)password=without-a-name\n"), .words("store", input: oauth),
    .words("store", input: "\(basic)username=alice\npassword=new\npassword_expiry_utc=1\n"),
    .words("erase", input: "\(oauth)username=alice\npassword=other\n\n"),
    .words("erase", input: "\(oauth)path=a/b\nusername=alice\npassword=other\n\n"),
    .words("erase", input: "\(oauth)authtype=Bearer\ncredential=other\n\n"),
    .words("erase", input: "protocol=https\nhost=none.example\npassword=\(storedToken)\n\n"),
    .words("erase", "--account=alice", input: "\(basic)password=other\n\n"),
  ]

  /// Calls that may.
  static let busy: [Invocation] = [
    .words("store", input: "\(oauth)username=bob\npassword=\(storedToken)\n\n"),
    .words("store", input: "\(basic)username=alice\npassword=new\n\n"),
    .words(
      "store", input: "\(basic)username=alice\npassword=\(storedToken)\noauth_refresh_token=r\n\n"),
    .words("store", input: "protocol=https\nhost=none.example\nusername=a\npassword=b\n\n"),
    .words("store", input: "\(oauth)username=alice\npassword=typed\n\n"),
    .words("erase", input: "\(oauth)username=alice\npassword=\(storedToken)\n\n"),
    .words("erase", input: "\(oauth)path=a/b\nauthtype=Bearer\ncredential=\(storedToken)\n\n"),
    .words("erase", input: oauth), .words("erase", input: "\(oauth)username=bob\n\n"),
    .words("capability", "--account", "alice"), .words("capability", "x"),
    .words("store", "https://fresh.example"), .words("erase", "--format", "git", input: oauth),
    .words("store", input: "protocol=http\nhost=readable.example\nusername=a\npassword=b\n\n"),
    .words("store", input: "nonsense\n"), .words("erase", input: "\n"),
  ]

  private func prepare(_ desk: Desk) throws {
    try desk.store("https://fresh.example")
    try desk.store("https://basic.example") {
      $0.method = .basic
      $0.expiresAt = nil
      $0.refreshToken = nil
    }
  }

  @Test func `is passed over where nothing changes, without the full program`() throws {
    try Desk.with { desk in
      try prepare(desk)
      let before = try desk.desktop.items()
      let fastPath = try desk.copyFastPath(fullProgram: "echo poisoned; exit 99")
      for invocation in Self.idle {
        let fast = try desk.callAlone(fastPath, invocation)
        #expect(fast.status == 0 && fast.errors.isEmpty, "\(invocation)")
        #expect(fast.output.isEmpty || invocation.arguments == ["capability"], "\(invocation)")
        #expect(try desk.call(desk.fullProgram, invocation).output == fast.output)
      }
      try desk.expectSameOutput(Self.idle)
      #expect(try desk.desktop.items() == before)
    }
  }

  @Test func `is left to the full program in every other case`() throws {
    try Desk.with { desk in
      try prepare(desk)
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      for invocation in Self.busy {
        #expect(try desk.call(fastPath, invocation).status == 99, "\(invocation)")
      }
      try desk.expectSameOutput(Self.busy)
    }
  }

  @Test func `is left to the full program where more than one session could be meant`() throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      try desk.store("https://fresh.example", account: "bob")
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      for verb in ["store", "erase"] {
        let invocation = Invocation.words(
          verb, input: "\(Self.oauth)username=alice\npassword=other\n\n")
        #expect(try desk.call(fastPath, invocation).status == 99)
      }
    }
  }

  @Test(arguments: ["", "capability[]=authtype\ncapability[]=state\n"])
  func `is of no consequence when it is what was given`(capabilities: String) throws {
    try Desk.with { desk in
      try prepare(desk)
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      let given = try desk.callAlone(
        fastPath, .words("get", input: "\(capabilities)\(Self.oauth)\n"))
      #expect(given.status == 0 && given.stdout.contains(storedToken))
      // git hands back all that it was given (git-credential(1), "approve").
      let stored = try desk.callAlone(
        fastPath, .words("store", input: Self.oauth + given.stdout))
      #expect(stored.status == 0 && stored.output.isEmpty && stored.errors.isEmpty)
    }
  }
}
