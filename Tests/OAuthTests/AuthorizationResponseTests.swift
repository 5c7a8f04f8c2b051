import Secrets
import Testing

@testable import OAuth

@Suite struct `Authorization responses` {
  private let state = State()

  private func read(
    _ query: String, issuer: String? = "https://dev.coder.com", requiresIssuer: Bool = false
  ) throws(OAuthError) -> AuthorizationResponse? {
    try AuthorizationResponse(
      query: query.replacing("STATE", with: state.value),
      expected: .init(state: state, issuer: issuer, requiresIssuer: requiresIssuer))
  }

  @Test func `A code with the right state is accepted`() throws {
    #expect(try read("code=coder_a_b&state=STATE")?.code == Secret("coder_a_b"))
    #expect(try read("state=STATE&extra=%20&code=a%2Bb")?.code == Secret("a+b"))
    let long = String(repeating: "x", count: 12_288)
    #expect(try read("code=\(long)&state=STATE")?.code == Secret(long))
    #expect(throws: OAuthError.self) { try read("code=\(long)x&state=STATE") }
    // Not every server encodes what it appends.
    #expect(try read("state=STATE&code=4/0Ab+c==")?.code == Secret("4/0Ab+c=="))
  }

  @Test(arguments: [
    "", "code=x", "code=x&state=", "code=x&state=wrong", "code=x&state=STATEx",
    "code=x&state=STATE&state=STATE", "code=x&state=STATE&state=y", "code=x&STATE", "state",
    "error=access_denied", "error=access_denied&state=wrong", "code=x&state=STATE&b=%",
    "code=%ff&state=STATE", "code=%zz&state=STATE", "code=x&State=STATE", "code=x;state=STATE",
    "code=x&state=STATE" + String(repeating: "&a=b", count: 64),
  ])
  func `Whatever lacks the right state is not ours`(_ query: String) throws {
    #expect(try read(query) == nil)
  }

  @Test func `Declining is told apart from failing`() {
    #expect(throws: OAuthError.denied(reason: "The owner declined")) {
      try read("error=access_denied&error_description=The+owner+declined&state=STATE")
    }
    #expect(
      throws: OAuthError.authorizationFailed(
        ErrorResponse(code: "invalid_scope", description: "unknown scope"))
    ) { try read("error=invalid_scope&error_description=unknown%20scope&state=STATE") }
    #expect(
      throws: OAuthError.authorizationFailed(ErrorResponse(code: "server_error"))
    ) { try read("error=server_error&state=STATE&code=x") }
  }

  @Test func `An error's words are cleaned`() {
    #expect(throws: OAuthError.denied(reason: "[31m<script>")) {
      try read("error=access_denied&error_description=%1B%5B31m%E2%80%AE%3Cscript%3E&state=STATE")
    }
  }

  @Test func `Neither code nor error is malformed`() {
    for query in [
      "state=STATE", "state=STATE&code=", "state=STATE&code=a%0Ab", "state=STATE&code=a%20b",
    ] {
      #expect {
        try read(query)
      } throws: {
        if case .malformed = $0 as? OAuthError { true } else { false }
      }
    }
  }

  @Test(arguments: [
    "code=a&code=b&state=STATE", "code=a&code=a&state=STATE", "error=a&error=b&state=STATE",
    "code=a&iss=x&iss=x&state=STATE", "c%6Fde=a&code=b&state=STATE",
  ])
  func `A parameter that comes twice is refused`(_ query: String) {
    #expect {
      try read(query)
    } throws: {
      if case .malformed = $0 as? OAuthError { true } else { false }
    }
  }

  @Test func `Another issuer's answer is refused`() throws {
    #expect(
      throws: OAuthError.foreignResponse(
        expected: "https://dev.coder.com", found: "https://evil.test")
    ) { try read("code=x&state=STATE&iss=https%3A%2F%2Fevil.test") }
    #expect(throws: OAuthError.foreignResponse(expected: "https://dev.coder.com", found: "x")) {
      try read("code=x&state=STATE&iss=x")
    }
    for spelling in [
      "https://dev.coder.com/", "https://dev.coder.com:443", "https://dev.coder.com/x",
    ] {
      #expect(throws: OAuthError.self) { try read("code=x&state=STATE&iss=\(spelling)") }
    }
    #expect(try read("code=x&state=STATE&iss=HTTPS://Dev.Coder.COM") != nil)
  }

  @Test func `A promised issuer must be named`() throws {
    #expect(throws: OAuthError.malformed("the response does not name its issuer as promised")) {
      try read("code=x&state=STATE", requiresIssuer: true)
    }
    #expect(
      try read("code=x&state=STATE&iss=https://dev.coder.com", requiresIssuer: true) != nil)
  }

  @Test func `An error without the promised issuer is shown, one of another issuer is not`() {
    #expect(throws: OAuthError.denied(reason: nil)) {
      try read("error=access_denied&state=STATE", requiresIssuer: true)
    }
    #expect(
      throws: OAuthError.foreignResponse(
        expected: "https://dev.coder.com", found: "https://evil.test")
    ) {
      try read(
        "error=access_denied&error_description=call+me&state=STATE&iss=https://evil.test")
    }
  }
}

@Suite struct `Pasted responses` {
  private let state = State()

  private func read(_ pasted: String) throws(OAuthError) -> AuthorizationResponse? {
    try AuthorizationResponse(
      pasted: pasted.replacing("STATE", with: state.value), expected: .init(state: state))
  }

  @Test(arguments: [
    "http://127.0.0.1:5/callback?code=a%2Fb%3D&state=STATE", "?code=a/b=&state=STATE",
    "code=a/b=&state=STATE", "'http://127.0.0.1:5/callback?state=STATE&code=a/b=' ",
    "<http://localhost:5/callback?code=a/b=&state=STATE>",
    "http://127.0.0.1:5/callback?code=a/b=&state=STATE#_=_",
    "http://127.0.0.1:5/call\n  back?code=a/b=&st\r\nate=STATE", "  a/b=#STATE",
    "\"coder-cred://oauth/callback?code=a/b=&state=STATE\"",
  ])
  func `An address in whole or in part is read, with its state`(_ pasted: String) throws {
    let response = try #require(try read(pasted))
    #expect(response.code == Secret("a/b="))
    #expect(response.hasState)
  }

  @Test(arguments: ["4/0Ab_c-d", "abc123==", "0.AXo:1", "a?b", "a&b=c", "coder_1_2", "a#b"])
  func `Whatever is no address is tried as a code`(_ code: String) throws {
    let expected = code == "a#b" ? "a" : code
    for pasted in [code, " \(code) \n", "'\(code)'", "\"\(code)\""] {
      let response = try #require(try read(pasted))
      #expect(response.code == Secret(expected))
      #expect(!response.hasState)
    }
  }

  @Test(arguments: [
    "", " \n", "''", "http://127.0.0.1:5/callback?code=a&state=other", "code=a",
    "http://127.0.0.1:5/callback", "https://dev.coder.com/workspaces",
  ])
  func `What belongs to another sign-in, or to none, is ignored`(_ pasted: String) throws {
    #expect(try read(pasted) == nil)
  }

  @Test func `An error that was pasted is an error`() {
    #expect(throws: OAuthError.denied(reason: "no")) {
      try read("http://127.0.0.1:5/callback?error=access_denied&error_description=no&state=STATE")
    }
  }
}
