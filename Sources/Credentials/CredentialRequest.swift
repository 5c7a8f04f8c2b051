public import Secrets

/// What a caller asks or tells on standard input, in git's format (git-credential(1), "INPUT/OUTPUT
/// FORMAT").
public struct CredentialRequest: Sendable {
  /// Which server, from `protocol`, `host` and `path`, or from `url`; for one that can be no
  /// deployment the same as ``place``.
  public let deployment: Deployment
  /// The same with the host byte for byte: where a plain credential is kept.
  public let place: Deployment
  /// The account asked for, or told of.
  public var username: String?
  /// The password told of, or nil.
  public let password: Secret?
  /// The authentication scheme of ``credential``, such as `Bearer`.
  public let authtype: String?
  /// The pre-encoded credential told of, or nil.
  public let credential: Secret?
  /// When the secret dies, in Unix seconds; nil when unknown.
  public let expiresAt: Int64?
  /// The refresh token that came with a password, or nil.
  public let refreshToken: Secret?
  /// Whether the secret must not be kept.
  public let isEphemeral: Bool
  /// What the caller understands: `authtype`, `state`.
  public var capabilities: [String]
  /// What an earlier answer of ours asked to be told when its token is refused; nil when none was.
  public let refused: RetryState?
  /// Whether it came in git's format, and is answered as by git's own helpers: a path that it does not
  /// name may be any, and where several plain credentials fit, the one stored last is meant.
  public let isInGitsFormat: Bool
  /// Whether a password alone may be told and answered, because the way to the server is readable.
  public var isForPasswordAlone = false

  /// Reads a request.
  ///
  /// Bytes are split on LF alone; one trailing CR per line is dropped; the last value of a key
  /// wins, `key[]` appends, an empty `key[]` clears; unknown keys are ignored; an empty line ends
  /// the request.
  ///
  /// - Parameter bytes: at most ``maximumBytes`` bytes, in lines of at most ``maximumLineBytes``.
  /// - Throws: ``MalformedInput``; nothing of the input is repeated in it.
  public init(parsing bytes: [UInt8]) throws(MalformedInput) {
    let attributes = try GitAttributes(parsing: bytes)
    guard let scheme = attributes.scheme, !scheme.isEmpty else {
      throw .request(reason: "the protocol is missing")
    }
    guard let host = attributes.host, !host.isEmpty || attributes.path != nil else {
      throw .request(reason: "the host is missing")
    }
    (deployment, place) = try Deployment.named(
      scheme: scheme, authority: host, decodedPath: attributes.path ?? [])
    username = attributes.username
    password = attributes.password
    authtype = attributes.authtype
    credential = attributes.credential
    expiresAt = attributes.expiry
    refreshToken = attributes.refreshToken
    isEphemeral = attributes.isEphemeral
    capabilities = attributes.capabilities
    refused = attributes.refused
    isInGitsFormat = true
  }

  /// Asks for a deployment's credential, as `get URL` does, with everything git 2.46 understands.
  public init(deployment: Deployment, username: String? = nil) {
    self.deployment = deployment
    place = deployment
    self.username = username
    password = nil
    authtype = nil
    credential = nil
    expiresAt = nil
    refreshToken = nil
    isEphemeral = false
    capabilities = ["authtype"]
    refused = nil
    isInGitsFormat = false
  }

  /// Whether words are a verb of git's helpers and the same again, as some callers say it.
  public static func isVerbTwice(_ words: [String]) -> Bool {
    words.count == 2 && words[0] == words[1]
      && ["get", "store", "erase", "capability"].contains(words[0])
  }

  /// The longest line, without its line end, in bytes.
  public static let maximumLineBytes = 65_535
  /// The longest request in bytes.
  public static let maximumBytes = 1 << 20

  /// Whether it means one place, whose spelling is the usual one, and no secret is readable on the
  /// way there.
  public var isPlainlyNamed: Bool { place == deployment && deployment.isConfidential }

  /// Whether a secret is told of, in whichever form.
  public var tellsSecret: Bool { credential != nil || password != nil }

  /// Whether the secret told of is a session's: in every form in which it came.
  ///
  /// A plain credential has what it came with. A token may have been given in either form.
  public func tellsSecret(of session: StoredSession) -> Bool {
    guard tellsSecret else { return false }
    let isPassword = password.map {
      $0 == (session.isPlain ? session.password : session.accessToken)
    }
    let isCredential = credential.map {
      $0 == (session.isPlain ? session.encodedCredential : session.accessToken)
    }
    return isPassword ?? true && isCredential ?? true
  }

  /// Whether the caller understands `authtype` and `credential` (git 2.46 and later).
  public var understandsAuthtype: Bool {
    capabilities.contains("authtype") && !isForPasswordAlone
  }

  /// Answers are written in another format than git's, which takes what git would not.
  public mutating func takesAnyForm() { capabilities.append("authtype") }

  /// How to answer in git's format: what is refused comes back once, and not a second time.
  public var gitFormat: Credential.Format {
    .git(
      authtype: understandsAuthtype,
      retry: capabilities.contains("state") && refused == nil)
  }
}
