public import Secrets

/// What a caller asks or tells on standard input, in git's format (git-credential(1), "INPUT/OUTPUT
/// FORMAT").
public struct CredentialRequest: Sendable {
  /// Which server, from `protocol`, `host` and `path`, or from `url`.
  public let deployment: Deployment
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
  public let capabilities: [String]
  /// What an earlier answer of ours asked to be told when its token is refused; nil when none was.
  public let refused: RetryState?

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
    guard let host = attributes.host, !host.isEmpty else {
      throw .request(reason: "the host is missing")
    }
    deployment = try Deployment(
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
  }

  /// Asks for a deployment's credential, as `get URL` does, with everything git 2.46 understands.
  public init(deployment: Deployment, username: String? = nil) {
    self.deployment = deployment
    self.username = username
    password = nil
    authtype = nil
    credential = nil
    expiresAt = nil
    refreshToken = nil
    isEphemeral = false
    capabilities = ["authtype"]
    refused = nil
  }

  /// The longest line, without its line end, in bytes.
  public static let maximumLineBytes = 65_535
  /// The longest request in bytes.
  public static let maximumBytes = 1 << 20

  /// The secret told of, in whichever form it came.
  public var secret: Secret? { credential ?? password }

  /// Whether the caller understands `authtype` and `credential` (git 2.46 and later).
  public var understandsAuthtype: Bool { capabilities.contains("authtype") }

  /// How to answer in git's format: what is refused comes back once, and not a second time.
  public var gitFormat: Credential.Format {
    .git(
      authtype: understandsAuthtype,
      retry: capabilities.contains("state") && refused == nil)
  }
}
