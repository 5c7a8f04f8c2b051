public import Secrets

/// The answer the browser brings back (RFC 6749 §4.1.2).
public struct AuthorizationResponse: Sendable, Hashable {
  /// The authorization code.
  public let code: Secret
  /// Whether it came with the state of the request; a code alone may be any.
  public let hasState: Bool

  /// Takes a bare code that a person copied. It needs no state: the proof key alone makes a code of
  /// another sign-in worthless here.
  ///
  /// - Throws: `malformed` when it is not one word.
  public init(code: String) throws(OAuthError) {
    try self.init(code: code, hasState: false)
  }

  private init(code: String, hasState: Bool) throws(OAuthError) {
    guard TokenSyntax.isWord(code, limit: 4096) else {
      throw .malformed("the code holds unusable characters or is too long")
    }
    self.code = Secret(code)
    self.hasState = hasState
  }

  /// What a response must show to be ours.
  public struct Expectation: Sendable, Hashable {
    /// The state of the request.
    public let state: State
    /// The issuer that was asked; nil when none is known.
    public let issuer: String?
    /// Whether the issuer promised to name itself (RFC 9207).
    public let requiresIssuer: Bool

    /// Expects a state, and of the issuer what it promised.
    public init(state: State, issuer: String? = nil, requiresIssuer: Bool = false) {
      self.state = state
      self.issuer = issuer
      self.requiresIssuer = requiresIssuer
    }

    /// Expects a state from the issuer of some metadata.
    public init(state: State, metadata: AuthorizationServerMetadata) {
      self.init(
        state: state, issuer: metadata.issuer, requiresIssuer: metadata.requiresIssuerParameter)
    }
  }

  /// Reads a response; nil when it is not ours, because its state is missing, repeated or
  /// another's. Such a response is to be ignored: anyone can send it.
  ///
  /// - Parameters:
  ///   - query: the query component of the URL the browser was sent to.
  ///   - expected: what the request expects.
  /// - Throws: `denied`, `authorizationFailed`, `foreignAnswer` or `malformed`, for a response with
  ///   the right state.
  public init?(query: String, expected: Expectation) throws(OAuthError) {
    guard let parameters = QueryParameters(query) else { return nil }
    // RFC 6749 §10.12: "The client MUST implement CSRF protection for its redirection URI."
    guard let state = try? parameters.single("state"), expected.state.matches(state) else {
      return nil
    }
    // The server's own word comes before a complaint about who sent it: it holds no code to steal.
    if let error = try parameters.single("error") {
      let response = ErrorResponse(
        code: error, description: try parameters.single("error_description"))
      throw response.code == ErrorResponse.accessDenied
        ? .denied(reason: response.description) : .authorizationFailed(response)
    }
    try Self.checkIssuer(parameters.single("iss"), expected)
    guard let code = try parameters.single("code") else {
      throw .malformed("the answer holds neither a code nor an error")
    }
    try self.init(code: code, hasState: true)
  }

  private static func checkIssuer(
    _ found: String?, _ expected: Expectation
  ) throws(OAuthError) {
    guard let issuer = expected.issuer else { return }
    guard let found else {
      // RFC 9207 §2.4: "Clients MUST reject authorization responses without the "iss" parameter
      // from authorization servers that do support the parameter according to the client's
      // configuration."
      guard !expected.requiresIssuer else {
        throw .malformed("the answer does not name its issuer as promised")
      }
      return
    }
    // RFC 9207 §2.4: "If the value does not match the expected issuer identifier, clients MUST
    // reject the authorization response and MUST NOT proceed with the authorization grant."
    guard let expectedURL = Endpoint(issuer), let foundURL = Endpoint(found),
      foundURL.isSameIssuer(as: expectedURL)
    else { throw .foreignAnswer(expected: issuer, found: ForeignText.quotation(found) ?? "") }
  }
}
