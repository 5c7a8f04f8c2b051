public import Secrets

/// A session on its way to a caller, in the form the caller reads.
public struct Credential: Sendable {
  /// The forms an answer can take.
  public enum Format: Equatable, Sendable {
    /// git-credential attributes: with `authtype` for callers that understand it (git 2.46), and
    /// for those that understand `state` as well, with a ``RetryState`` that brings a refused
    /// token back to us.
    case git(authtype: Bool, retry: Bool = false)
    /// The bare token and a newline.
    case token
    /// One JSON object.
    case json
    /// The JSON object of docker's credential helpers.
    case docker
    /// One HTTP header field in the given notation.
    case header(HeaderNotation)

    /// Whether a session is given as it is stored, whatever its age: git is told when it dies, and
    /// a helper behind us may want what renews it.
    public func takesAsKept(_ session: StoredSession) -> Bool {
      if case .git = self { session.isPlain } else { false }
    }
  }

  /// Why a password is no answer for who wants a token.
  public static let isPassword = "what is stored is a password, not a token"

  /// What is understood of git's protocol (git-credential(1), "CAPABILITY INPUT/OUTPUT FORMAT").
  public static let capabilities = "version 0\ncapability authtype\ncapability state\n"

  let session: StoredSession
  private let askedUsername: String?
  private let isForApplication: Bool

  /// Makes the answer for a session.
  ///
  /// - Parameters:
  ///   - session: the session.
  ///   - askedUsername: the user whom the caller named, or nil.
  ///   - isForApplication: whether it is for an application of a workspace (``ApplicationHosts``).
  public init(
    _ session: StoredSession, to askedUsername: String? = nil, isForApplication: Bool = false
  ) {
    self.session = session
    self.askedUsername = askedUsername
    self.isForApplication = isForApplication
  }

  /// The answer, whole.
  ///
  /// - Throws: ``MalformedInput/unwritable(reason:)`` when a value would break the format, or when
  ///   the session holds a password and the format wants a token.
  public func written(as format: Format) throws(MalformedInput) -> Secret {
    switch format {
    case .git(let authtype, let retry): try gitAttributes(authtype: authtype, retry: retry)
    case .token: "\(try token())\n"
    case .json: try json()
    case .docker: try docker()
    case .header(let notation): try notation.write(self)
    }
  }

  /// git-credential(1): the capability comes first, "they must precede any value depending on it".
  /// Nothing that names the server is repeated: git would take it for a new address.
  private func gitAttributes(authtype: Bool, retry: Bool) throws(MalformedInput) -> Secret {
    var lines: [Secret] = []
    let state = authtype && retry ? RetryState(of: session) : nil
    if authtype, let encoded = session.encodedCredential {
      lines.append("capability[]=authtype")
      if state != nil { lines.append("capability[]=state") }
      lines.append("authtype=\(session.tokenType)")
      lines.append("credential=\(encoded)")
      // Keeps the token out of caches and stores that stand before us in git's chain.
      if !session.isPlain { lines.append("ephemeral=1") }
      if session.method != .basic, !session.account.isEmpty {
        lines.append("username=\(session.account)")
      }
    }
    if let password = session.password {
      lines.append("username=\(session.account)")
      lines.append("password=\(password)")
    } else if lines.isEmpty, !session.isPlain {
      // A password without a user name is none to git. Any name does where the token alone counts.
      if !session.account.isEmpty {
        lines.append("username=\(session.account)")
      } else if askedUsername == nil {
        lines.append("username=coder")
      }
      lines.append("password=\(session.accessToken)")
    }
    if let expiresAt = session.expiresAt { lines.append("password_expiry_utc=\(expiresAt)") }
    // An OAuth session's refresh token is spent when used: it never leaves the keyring.
    if session.isPlain, let refreshToken = session.refreshToken {
      lines.append("oauth_refresh_token=\(refreshToken)")
    }
    if let state {
      lines.append("continue=1")
      lines.append("state[]=\(state.text)")
    }
    guard let text = Secret(lines: lines) else {
      throw .unwritable(reason: "a value holds a line break")
    }
    return text
  }

  /// The name of the header field that authenticates a request: an application of a workspace would
  /// see `Authorization`.
  var fieldName: String { isForApplication ? "Cookie" : "Authorization" }

  /// The value of the header field that authenticates a request.
  func fieldValue() throws(MalformedInput) -> Secret {
    isForApplication ? try cookie() : try authorization()
  }

  /// The value of `Cookie` that authenticates a request.
  func cookie() throws(MalformedInput) -> Secret {
    let token = try token()
    guard token.isCookieValue else {
      throw .unwritable(reason: "the token holds a character that ends a cookie")
    }
    return "coder_session_token=\(token)"
  }

  /// The value of the field `Authorization` (RFC 9110 §11.6.2).
  ///
  /// - Throws: as ``written(as:)``.
  public func authorization() throws(MalformedInput) -> Secret {
    guard session.isTokenTypeOneWord else {
      throw .unwritable(reason: "the token type is not one word")
    }
    return "\(session.tokenType) \(try token())"
  }

  /// The access token, which is one word whatever the format.
  ///
  /// - Throws: as ``written(as:)``.
  public func token() throws(MalformedInput) -> Secret {
    guard session.method != .basic else {
      throw .unwritable(reason: Self.isPassword)
    }
    guard session.accessToken.isWord else {
      throw .unwritable(reason: "the token holds a blank or a line break")
    }
    return session.accessToken
  }

  /// When the token dies, as RFC 3339 writes it in whole seconds; nil when nobody said.
  var expiry: String? { session.expiresAt.flatMap(JSONText.timestamp) }
}
