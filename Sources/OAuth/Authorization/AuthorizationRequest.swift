import Basics

/// What the browser is sent to ask (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2).
public struct AuthorizationRequest: Sendable, Hashable {
  /// The authorization endpoint.
  public let endpoint: String
  /// The client identifier.
  public let clientID: String
  /// Where the response goes.
  public let redirectURI: String
  /// What ties the response to this request.
  public let state: State
  /// The public half of the proof key.
  public let challenge: CodeChallenge
  /// The scopes wanted, with blanks between them; nil leaves them to the server.
  public let scope: String?
  /// The resource the token is for (RFC 8707); nil leaves it to the server.
  public let resource: String?

  /// Makes a request.
  public init(
    endpoint: String, clientID: String, redirectURI: String, state: State,
    challenge: CodeChallenge, scope: String? = nil, resource: String? = nil
  ) {
    self.endpoint = endpoint
    self.clientID = clientID
    self.redirectURI = redirectURI
    self.state = state
    self.challenge = challenge
    self.scope = scope
    self.resource = resource
  }

  /// The URL to open: always `http` or `https`, of URL characters that mean nothing to a shell, but
  /// for `?`, `&` and the brackets of an IPv6 address, which a URL cannot do without.
  ///
  /// - Throws: `malformed` when the endpoint is no such URL.
  public func url() throws(OAuthError) -> String {
    guard let endpoint = Endpoint(endpoint) else {
      throw .malformed("the authorization_endpoint is not an absolute https URL")
    }
    // Deployments before late 2026 refuse every parameter they do not know.
    var parameters = [
      ("response_type", "code"), ("client_id", clientID), ("redirect_uri", redirectURI),
      ("state", state.value), ("code_challenge", challenge.value),
      ("code_challenge_method", CodeChallenge.method),
    ]
    if let scope { parameters.append(("scope", scope)) }
    if let resource { parameters.append(("resource", resource)) }

    // RFC 6749 §3.1: "The endpoint URI MAY include an "application/x-www-form-urlencoded"
    // formatted (per Appendix B) query component, which MUST be retained when adding additional
    // query parameters."
    let names = Set(parameters.map(\.0))
    let kept = (endpoint.query ?? "").split(separator: "&").filter { pair in
      let name = PercentEncoding.decodeForm(pair.prefix { $0 != "=" }.utf8)
      return name.map { !names.contains($0) } ?? false
    }
    let added = parameters.map { "\($0.0)=\(PercentEncoding.encodeForm($0.1))" }
    let query = (kept.map(String.init) + added).joined(separator: "&")
    let base = endpoint.url.prefix { $0 != "?" }
    return Self.withoutShellCharacters("\(base)?\(query)")
  }

  /// Browsers are often started by scripts, and not every script quotes what it was given. A server
  /// reads the escapes as the characters.
  private static func withoutShellCharacters(_ url: String) -> String {
    PercentEncoding.encode(url.utf8) { !"$'()*!;,@".utf8.contains($0) }
  }
}
