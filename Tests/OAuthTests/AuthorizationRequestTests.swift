import Foundation
import Testing

@testable import OAuth

@Suite struct `Authorization requests` {
  private func url(
    _ endpoint: String, scope: String? = nil, resource: String? = nil
  ) throws(OAuthError) -> String {
    try AuthorizationRequest(
      endpoint: endpoint, clientID: "c&1", redirectURI: "http://127.0.0.1:5/callback",
      state: State(), challenge: CodeVerifier().challenge, scope: scope, resource: resource
    ).url()
  }

  private func items(_ url: String) throws -> [String: String] {
    let items = try #require(URLComponents(string: url)?.queryItems)
    return Dictionary(
      items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { _, _ in "twice" })
  }

  @Test func `Nothing is sent that an older deployment would refuse`() throws {
    let items = try items(url("https://dev.coder.com/oauth2/authorize"))
    #expect(
      Set(items.keys) == [
        "response_type", "client_id", "redirect_uri", "state", "code_challenge",
        "code_challenge_method",
      ])
    #expect(items["response_type"] == "code")
    #expect(items["client_id"] == "c&1")
    #expect(items["redirect_uri"] == "http://127.0.0.1:5/callback")
    #expect(items["code_challenge_method"] == "S256")
    #expect(items["code_challenge"]?.count == 43)
  }

  @Test func `Scope and resource are sent when they are wanted`() throws {
    let url = try url(
      "https://dev.coder.com/a", scope: "workspace:read template:read",
      resource: "https://dev.coder.com")
    #expect(
      url.hasSuffix("&scope=workspace%3Aread+template%3Aread&resource=https%3A%2F%2Fdev.coder.com"))
  }

  @Test func `The endpoint's own query stays, but for our names`() throws {
    let url = try url("https://dev.coder.com/a?audience=workspace&client_id=x&st%61te=evil&b")
    let items = try items(url)
    #expect(url.hasPrefix("https://dev.coder.com/a?audience=workspace&b&response_type=code&"))
    #expect(items["client_id"] == "c&1")
    #expect(items["state"]?.count == 32)
  }

  @Test func `A path before the endpoint is neither doubled nor lost`() throws {
    #expect(
      try url("https://h.example/coder/oauth2/authorize").hasPrefix(
        "https://h.example/coder/oauth2/authorize?response_type=code&"))
    #expect(try url("https://h.example").hasPrefix("https://h.example?response_type=code&"))
  }

  @Test(arguments: [
    "https://h.example/$(id)", "https://h.example/a'b", "https://h.example/a;id",
    "https://h.example/a?x=$(id)&y=';id", "https://h.example/*!(a),b@c",
  ])
  func `Nothing that a shell acts on reaches the browser`(_ endpoint: String) throws {
    let url = try url(endpoint)
    #expect(!url.contains { "$`'\"\\;()*!<>|{}~# ,@\n".contains($0) }, "\(url)")
    // The escapes mean the same to a server.
    let path = URLComponents(string: url)?.path
    #expect(path == endpoint.dropFirst("https://h.example".count).prefix { $0 != "?" }.description)
  }

  @Test(arguments: [
    "file:///etc/passwd", "javascript:alert(1)", "--version", "", "https://u@h.example/",
    "https://h.example/\"", "https://h.example/a#b", "https://h.example/`id`",
  ])
  func `What is no plain web address never reaches the browser`(_ endpoint: String) {
    #expect(throws: OAuthError.self) { try url(endpoint) }
  }
}
