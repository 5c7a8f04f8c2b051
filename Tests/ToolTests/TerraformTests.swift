import Foundation
import TestDesk
import Testing

/// What terraform says to a credentials helper.
@Suite(.blocking) struct `terraform's credentials helper` {
  private func helper(
    _ desk: Desk, _ words: String..., input: String = ""
  ) throws -> CommandResult {
    try desk.run("\(desk.directory)/bin/terraform-credentials-coder-cred", words, input: input)
  }

  @Test func `keeps a host's token, gives it, and forgets it`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      let host = "app.terraform.example:8443"
      #expect(try helper(desk, "get", host).stdout == "{}\n")
      expectSilence(try helper(desk, "store", host, input: #"{"token":"\#(desk.plant())"}"#))
      let got = try helper(desk, "get", host)
      #expect(got.status == 0 && got.errors.isEmpty)
      #expect(try got.object() as? [String: String] == ["token": desk.plant()])
      #expect(try helper(desk, "--account=alice", "get", host).stdout == got.stdout)
      for other in [
        "app.terraform.example", "terraform.example:8443", "x.app.terraform.example:8443",
      ] {
        let none = try helper(desk, "get", other)
        #expect(none.status == 0 && none.stdout == "{}\n" && none.errors.isEmpty, "\(other)")
      }
      // Neither git nor whoever names no server gets it.
      expectSilence(
        try desk.run(["get"], input: "protocol=https\nhost=\(host)\n\n"))
      #expect(try desk.run(["token"]).status == 1)
      expectSilence(try helper(desk, "forget", host))
      expectSilence(try helper(desk, "forget", host))
      #expect(try desk.desktop.items().isEmpty)
    }
  }

  @Test func `refuses what it cannot keep, and says why`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      for input in [
        "", "{}", "[]", #"{"token":1}"#, #"{"token":""}"#, #"{"token":"a","user":"b"}"#, "{",
      ] {
        let result = try helper(desk, "store", "example.com", input: input)
        #expect(result.status == 1 && result.output.isEmpty, "\(input)")
        #expect(result.message("error") != nil, "\(input)")
      }
      for words in [
        ["get"], [], ["list", "example.com"], ["get", "a/b"], ["get", ""], ["get", "a b"],
      ] {
        let result = try desk.run(
          "\(desk.directory)/bin/terraform-credentials-coder-cred", words)
        #expect(result.status == 1 && result.output.isEmpty && !result.errors.isEmpty, "\(words)")
      }
      #expect(try desk.desktop.items().isEmpty)
    }
    try Desk.with(.withoutService) { desk in
      _ = try desk.installNames()
      let result = try helper(desk, "get", "example.com")
      #expect(result.status == 1 && result.output.isEmpty && result.message("error") != nil)
    }
  }

  @Test func `gives a deployment's token, and keeps none in its place`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      try desk.storeToken(desk.plant(), at: "https://dev.example.com")
      let got = try helper(desk, "get", "dev.example.com")
      #expect(try got.object() as? [String: String] == ["token": desk.plant()])
      try desk.desktop.expectUnchangedItems("the token that is stored already") {
        expectSilence(
          try helper(desk, "store", "dev.example.com", input: #"{"token":"\#(desk.plant())"}"#))
        expectSilence(try helper(desk, "forget", "dev.example.com"))
      }
    }
  }

  @Test(.enabled(if: Client.exists("terraform")))
  func `serves the real client's logout`() throws {
    try Desk.with { desk in
      let bin = try desk.installNames()
      let configured = try desk.run(["configure", "terraform"], environment: desk.path(bin))
      #expect(configured.status == 0, "\(configured.stderr)")
      let host = "app.terraform.example"
      expectSilence(try helper(desk, "store", host, input: #"{"token":"\#(desk.plant())"}"#))
      let logout = try desk.run(
        "terraform", ["logout", host],
        environment: desk.path(bin).merging(["CHECKPOINT_DISABLE": "1"]) { $1 })
      #expect(logout.status == 0, "\(logout.stderr)")
      #expect(logout.stdout.contains("coder-cred"))
      #expect(try desk.desktop.items().isEmpty)
    }
  }
}
