import Credentials
import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What tools are told where there is no credential, or no keyring: each takes the other's answer
/// for the end of its work.
@Suite(.blocking) struct `What a tool is told` {
  /// A call, and what it ends with where nothing is stored.
  struct Case: Sendable, CustomTestStringConvertible {
    let words: [String]
    var output = ""
    var status: Int32 = 0
    var testDescription: String { words.joined(separator: " ") }
  }

  static let cases =
    [
      Case(words: ["header"]), Case(words: ["header", "--format", "coder"]),
      Case(words: ["header", "--format", "lines"]), Case(words: ["header", "--format", "cookie"]),
      Case(words: ["header", "--format", "curl"]),
      Case(words: ["header", "--format", "json"], output: "{}\n"),
      Case(words: ["header", "--format", "goauth"]),
      Case(words: ["header", "--format", "bazel"], status: 1),
      Case(words: ["header", "--format", "authorization"], status: 1),
      Case(words: ["token"], status: 1), Case(words: ["get"], status: 1),
    ]
    + ["json", "docker", "bazel", "curl", "header", "goauth"].map {
      Case(words: ["get", "--format", $0], status: 1)
    }

  @Test(arguments: cases)
  func `where nothing is stored`(one: Case) throws {
    try Desk.withSession { desk in
      for url in ["https://unknown.example", "https://unknown.example/x", "http://127.0.0.1:1"] {
        let result = try desk.run(one.words + [url])
        if one.status == 0 {
          #expect(result.status == 0 && result.stdout == one.output && result.errors.isEmpty)
        } else {
          expectFailure(result, one.status, saying: "nobody is signed in to \(url)", "\(one.words)")
        }
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test(arguments: cases)
  func `where there is no keyring`(one: Case) throws {
    try Desk.with(.withoutService) { desk in
      expectFailure(try desk.run(one.words + ["https://dev.example.com"]), 69, "\(one.words)")
    }
  }

  @Test func `a request of git's for an unknown server passes in silence, whatever the format`()
    throws
  {
    try Desk.withSession { desk in
      for format in Credential.Format.names {
        expectSilence(
          try desk.run(
            ["get", "--format", format], input: "protocol=https\nhost=unknown.example\n\n"), format)
      }
    }
  }

  @Test(arguments: Credential.HeaderNotation.all.map(\.name))
  func `no format prints a password of git's`(format: String) throws {
    try Desk.with { desk in
      expectSilence(
        try desk.run(
          ["store"],
          input: "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"))
      let result = try desk.run(["header", "https://git.example.com", "--format", format])
      expectFailure(result, 65, saying: "a password, not a token", format)
    }
  }

  @Test func `Go's appended URL must lie within the one before it`() throws {
    try Desk.withSession { desk in
      let token = try desk.token()
      let answer = "\(desk.url)\n\nAuthorization: Bearer \(token)\n\n"
      for urls in [
        [], [desk.url], ["\(desk.url)/mod/@v/list?x=1#y"], [desk.url, "\(desk.url)/mod/@v/list"],
      ] {
        let result = try desk.run(
          ["header", "--format", "goauth"] + urls,
          input: "HTTP/1.1 401 Unauthorized\nDate: x\n\n")
        #expect(result.status == 0 && result.stdout == answer && result.errors.isEmpty, "\(urls)")
      }
      for urls in [
        ["https://other.example", "\(desk.url)/mod"], [desk.url, "https://proxy.example/mod"],
        ["https://proxy.example/mod"], ["\(desk.url)/coder", "\(desk.url)/mod"],
      ] {
        expectSilence(try desk.run(["header", "--format", "goauth"] + urls), "\(urls)")
      }
      let three = try desk.run(["header", "--format", "goauth", desk.url, desk.url, desk.url])
      expectFailure(three, 64)
      expectFailure(try desk.run(["header", desk.url, desk.url]), 64)
    }
  }
}
