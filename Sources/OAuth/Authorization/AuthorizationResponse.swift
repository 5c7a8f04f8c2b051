import Basics
public import Secrets

/// The response the browser brings back (RFC 6749 §4.1.2).
public struct AuthorizationResponse: Sendable, Hashable {
  /// The longest code taken, in bytes: what leaves room for the rest of a request line.
  private static let codeLimit = 12_288

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
    guard TokenSyntax.isWord(code, limit: Self.codeLimit) else {
      throw .malformed("the code holds unusable characters or is too long")
    }
    self.code = Secret(code)
    self.hasState = hasState
  }

  /// What a response must show to be ours.
  public struct Expectation: Sendable, Hashable {
    /// The state of the request.
    public let state: State
    /// The issuer that was asked, as it spells itself; nil when none is known.
    public let issuer: String?
    /// Whether the issuer promised to name itself (RFC 9207).
    public let requiresIssuer: Bool
    /// What is signed in to, for the page that the browser shows, such as `dev.coder.com`.
    public let displayName: String?
    /// The account that is expected to sign in, for the same page.
    public let account: String?

    /// Expects a state, and of the issuer what it promised.
    public init(
      state: State, issuer: String? = nil, requiresIssuer: Bool = false,
      displayName: String? = nil, account: String? = nil
    ) {
      self.state = state
      self.issuer = issuer
      self.requiresIssuer = requiresIssuer
      self.displayName = displayName
      self.account = account
    }

    /// Expects a state from the issuer of some metadata.
    public init(
      state: State, metadata: AuthorizationServerMetadata, displayName: String? = nil,
      account: String? = nil
    ) {
      self.init(
        state: state, issuer: metadata.issuer, requiresIssuer: metadata.requiresIssuerParameter,
        displayName: displayName, account: account)
    }
  }

  /// Reads a response; nil when it is not ours, because its state is missing, repeated or
  /// another's. Such a response is to be ignored: anyone can send it.
  ///
  /// - Parameters:
  ///   - query: the query component of the URL the browser was sent to.
  ///   - expected: what the request expects.
  /// - Throws: `denied`, `authorizationFailed`, `foreignResponse` or `malformed`, for a response
  ///   with the right state.
  public init?(query: String, expected: Expectation) throws(OAuthError) {
    guard let parameters = QueryParameters(query) else { return nil }
    // RFC 6749 §10.12: "The client MUST implement CSRF protection for its redirection URI."
    guard let state = try? parameters.single("state"), expected.state.matches(state) else {
      return nil
    }
    let issuer = try parameters.single("iss")
    // A response of another server is not shown either: its words are not our server's.
    if let issuer { try Self.check(issuer, expected) }
    if let error = try parameters.single("error") {
      let response = ErrorResponse(
        code: error, description: try parameters.single("error_description"))
      throw response.code == ErrorResponse.accessDenied
        ? .denied(reason: response.description) : .authorizationFailed(response)
    }
    // RFC 9207 §2.4: "Clients MUST reject authorization responses without the "iss" parameter
    // from authorization servers that do support the parameter according to the client's
    // configuration." Errors often lack it, and nothing of them is used.
    guard issuer != nil || !expected.requiresIssuer || expected.issuer == nil else {
      throw .malformed("the response does not name its issuer as promised")
    }
    guard let code = try parameters.single("code") else {
      throw .malformed("the response holds neither a code nor an error")
    }
    try self.init(code: code, hasState: true)
  }

  /// RFC 9207 §2.4: "This comparison MUST use simple string comparison as defined in Section 6.2.1
  /// of [RFC3986]. If the value does not match the expected issuer identifier, clients MUST reject
  /// the authorization response and MUST NOT proceed with the authorization grant."
  ///
  /// The case of scheme and host is passed over: no other server can be meant by it.
  private static func check(_ found: String, _ expected: Expectation) throws(OAuthError) {
    guard let issuer = expected.issuer, found != issuer else { return }
    guard let one = Endpoint(issuer), let other = Endpoint(found), one.origin == other.origin,
      one.url.utf8.count == other.url.utf8.count, one.path == other.path, one.query == other.query
    else {
      throw .foreignResponse(expected: issuer, found: ForeignText.quotation(found) ?? "")
    }
  }
}

extension AuthorizationResponse {
  /// Reads what a person copied: the address of the last page, whole or in part, or the code alone.
  ///
  /// Blanks, line breaks and quotation marks around it or within are what copying leaves behind. The
  /// result is nil for an address that belongs to another sign-in, and for nothing at all.
  ///
  /// - Parameters:
  ///   - pasted: what was copied.
  ///   - expected: what the request expects.
  /// - Throws: as ``init(query:expected:)`` and ``init(code:)``.
  public init?(pasted: String, expected: Expectation) throws(OAuthError) {
    var text = pasted.utf8.filter { $0 > 0x20 && $0 < 0x7F }[...]
    while let first = text.first, "'\"<`".utf8.contains(first) { text.removeFirst() }
    while let last = text.last, "'\">`".utf8.contains(last) { text.removeLast() }
    guard !text.isEmpty else { return nil }
    if let query = Self.query(in: text) {
      try self.init(query: query, expected: expected)
      return
    }
    // Some pages show the code with its state behind it: CODE#STATE.
    let parts = text.split(separator: UInt8(ascii: "#"), omittingEmptySubsequences: false)
    let code = String(decoding: parts[0], as: UTF8.self)
    let state = parts.count == 2 ? String(decoding: parts[1], as: UTF8.self) : ""
    guard Endpoint(code) == nil else { return nil }
    try self.init(code: code, hasState: expected.state.matches(state))
  }

  /// The query component of an address or of a part of one; nil for what has none of the parameters
  /// of a response.
  private static func query(in text: ArraySlice<UInt8>) -> String? {
    let start = text.firstIndex(of: UInt8(ascii: "?")).map { $0 + 1 } ?? text.startIndex
    let query = text[start...].prefix { $0 != UInt8(ascii: "#") }
    let names = ["code=", "error=", "state="]
    let isResponse = query.split(separator: UInt8(ascii: "&")).contains { pair in
      names.contains { pair.starts(with: $0.utf8) }
    }
    return isResponse ? String(decoding: query, as: UTF8.self) : nil
  }
}
