import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The published examples of the specification for credential helpers, with our servers.
@Suite(.blocking) struct `Bazel's credential helper` {
  private func helper(
    _ desk: Desk, _ words: String..., input: String = ""
  ) throws -> CommandResult {
    try desk.run("\(desk.directory)/bin/bazel-credential-coder-cred", words, input: input)
  }

  @Test func `gives fields with arrays of values, and an expiry in whole seconds`() throws {
    try Desk.withSession { desk in
      _ = try desk.installNames()
      let token = try desk.token()
      for uri in [desk.url, "\(desk.url)/", "\(desk.url)/cas/blobs/1?instance=x&y#z"] {
        let got = try helper(desk, "get", input: #"{"uri":"\#(uri)","more":[1]}"#)
        #expect(got.status == 0 && got.errors.isEmpty, "\(got)")
        let object = try got.object()
        #expect(Set(object.keys) == ["headers", "expires"])
        #expect(object["headers"] as? [String: [String]] == ["Authorization": ["Bearer \(token)"]])
        let expiry = try #require(object["expires"] as? String)
        #expect(expiry.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
      }
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test func `takes gRPC over TLS for https`() throws {
    try Desk.with { desk in
      _ = try desk.installNames()
      try desk.storeToken(desk.plant(), at: "https://cache.example.com")
      for uri in ["https://cache.example.com/x", "grpcs://cache.example.com"] {
        #expect(try helper(desk, "get", input: #"{"uri":"\#(uri)"}"#).status == 0, "\(uri)")
      }
      for uri in [
        "grpc://cache.example.com", "http://cache.example.com", "https://x.cache.example.com",
      ] {
        #expect(try helper(desk, "get", input: #"{"uri":"\#(uri)"}"#).status == 1, "\(uri)")
      }
    }
  }

  @Test func `fails with a reason on standard error for whatever it has no answer to`() throws {
    try Desk.withSession { desk in
      _ = try desk.installNames()
      let inputs = [
        "", "{}", "[]", #"{"uri":1}"#, #"{"uri":""}"#, #"{"uri":"https://other.example/x"}"#,
        #"{"uri":"\#(desk.url)@evil.example/"}"#, #"{"uri":"\#(desk.url).evil.example/"}"#,
      ]
      for input in inputs {
        let result = try helper(desk, "get", input: input)
        #expect(result.status == 1 && result.output.isEmpty, "\(input)")
        #expect(result.message("error") != nil, "\(input)")
      }
      for words in [[], ["store"], ["get", "x"]] {
        let result = try desk.run("\(desk.directory)/bin/bazel-credential-coder-cred", words)
        #expect(result.status == 1 && result.output.isEmpty)
        #expect(result.stderr.contains("usage"))
      }
    }
  }
}
