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
      "state=STATE", "state=STATE&code=", "state=STATE&code=a%0Ab", "state=STATE&code=a+b",
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
      throws: OAuthError.foreignAnswer(
        expected: "https://dev.coder.com", found: "https://evil.test")
    ) { try read("code=x&state=STATE&iss=https%3A%2F%2Fevil.test") }
    #expect(throws: OAuthError.foreignAnswer(expected: "https://dev.coder.com", found: "x")) {
      try read("code=x&state=STATE&iss=x")
    }
    #expect(try read("code=x&state=STATE&iss=https%3A%2F%2Fdev.coder.com%2F") != nil)
  }

  @Test func `A promised issuer must be named`() throws {
    #expect(throws: OAuthError.malformed("the answer does not name its issuer as promised")) {
      try read("code=x&state=STATE", requiresIssuer: true)
    }
    #expect(
      try read("code=x&state=STATE&iss=https://dev.coder.com", requiresIssuer: true) != nil)
  }

  @Test func `A real error comes before a complaint about its issuer`() {
    #expect(throws: OAuthError.denied(reason: nil)) {
      try read("error=access_denied&state=STATE", requiresIssuer: true)
    }
    #expect(throws: OAuthError.denied(reason: nil)) {
      try read("error=access_denied&state=STATE&iss=https://evil.test")
    }
  }
}
