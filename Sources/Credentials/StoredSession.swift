public import Secrets

/// One session as it is kept in the keyring: who is signed in where, and with what.
public struct StoredSession: Sendable, Equatable {
  /// How the session came to be, and so what may be done with it.
  public enum Method: String, Sendable {
    /// Signed in by OAuth: it can be refreshed.
    case oauth
    /// A token from elsewhere, used as it is.
    case token
    /// A user name and a password, kept for git.
    case basic
  }

  /// Where the session is valid.
  public var deployment: Deployment
  /// The user name, or an empty string when it is not known.
  public var account: String
  /// How the session came to be.
  public var method: Method
  /// The access token; the password of a ``Method/basic`` session.
  public var accessToken: Secret
  /// The authentication scheme of the token, or of ``passwordCredential``, such as `Bearer`.
  public var tokenType = "Bearer"
  /// The pre-encoded credential that came along with the password of a ``Method/basic`` session.
  public var passwordCredential: Secret?
  /// Whether a token was not signed in with, but kept for git.
  public var isKeptForGit = false
  /// The place of a plain credential among those of its server, which grows with each that is
  /// stored: Unix seconds, or one more than the last one's.
  public var storedAt: Int64?
  /// When the access token was issued, in Unix seconds.
  public var issuedAt: Int64?
  /// When the access token dies, in Unix seconds; nil when nobody said.
  public var expiresAt: Int64?
  /// Until when the deployment keeps the access token at least, in Unix seconds: it said so when it
  /// was asked last, and use may have prolonged it since. Nil when it was not asked.
  public var keptUntil: Int64?
  /// How long it keeps the access token without use, in seconds; nil when it did not say.
  public var keptSeconds: Int64?
  /// The refresh token, or nil.
  public var refreshToken: Secret?
  /// The scope granted (RFC 6749 §3.3), or nil when the server did not say.
  public var scope: String?
  /// The resource the tokens are for (RFC 8707), or nil when none was named.
  public var resource: String?
  /// The OAuth client the tokens were issued to.
  public var clientID: String?
  /// When the person signed in, in Unix seconds.
  public var signedInAt: Int64?
  /// Since when a caller has said that the access token is rejected, in Unix seconds.
  public var staleSince: Int64?
  /// Since when a refresh is under way, in Unix seconds.
  public var refreshingSince: Int64?
  /// Who refreshes, in a word that no other process uses; nil when nobody does any more and the
  /// outcome is unknown.
  public var refreshingBy: String?
  /// The fields of the stored payload that this version does not know; they are kept.
  private var unknownFields = Payload()

  /// Makes a session.
  public init(
    deployment: Deployment, account: String, method: Method, accessToken: Secret
  ) {
    self.deployment = deployment
    self.account = account
    self.method = method
    self.accessToken = accessToken
  }

  /// Whether it is a plain credential: kept for git, and given back as it came.
  public var isPlain: Bool { method == .basic || isKeptForGit }

  /// The password of a plain credential; nil when it came without.
  public var password: Secret? { method == .basic ? accessToken : nil }

  /// The pre-encoded credential of a plain credential; nil when it came without.
  public var encodedCredential: Secret? { method == .basic ? passwordCredential : accessToken }

  /// Whether it may serve a caller who names no server: a session with a deployment, or a token that
  /// could be one's.
  public var isForDeployment: Bool {
    guard method != .basic else { return false }
    return !isKeptForGit || tokenType.utf8.map { $0.asciiLowercased }.elementsEqual("bearer".utf8)
  }

  /// How many seconds the access token still lives at the Unix time `now`; nil when nobody knows.
  public func secondsLeft(now: Int64) -> Int64? {
    expiresAt.map { expiry in
      let (left, overflow) = expiry.subtractingReportingOverflow(now)
      return overflow ? (expiry > now ? .max : .min) : left
    }
  }

  /// Whether the access token may be used at the Unix time `now`: not rejected, and not expired.
  public func isAlive(now: Int64) -> Bool {
    staleSince == nil && secondsLeft(now: now).map { $0 > 0 } ?? true
  }

  /// Whether the access token can be handed out at the Unix time `now` without asking anyone: it
  /// is alive, and lives at least `minimumSeconds` longer, or nobody knows how long.
  ///
  /// It is not while a refresh is under way, or was and never ended: deployments kill the access
  /// token when they spend the refresh token. Nor is it when it was issued in the future: the clock
  /// was set back since, and the expiry tells nothing.
  public func isFresh(now: Int64, minimumSeconds: Int64) -> Bool {
    isAlive(now: now) && secondsLeft(now: now).map { $0 >= minimumSeconds } ?? true
      && refreshingSince == nil && !isFromTheFuture(now: now)
  }

  /// Whether only a new sign-in helps at the Unix time `now`: its access token is dead, and nothing
  /// can bring another one.
  public func hasEnded(now: Int64) -> Bool {
    !isAlive(now: now) && (method != .oauth || refreshToken == nil)
  }

  /// Whether the clock must have been set back by more than five minutes since the token was
  /// issued.
  private func isFromTheFuture(now: Int64) -> Bool {
    guard method == .oauth, let issuedAt else { return false }
    let (ahead, overflow) = issuedAt.subtractingReportingOverflow(now)
    return overflow ? issuedAt > now : ahead > 300
  }
}

extension StoredSession {
  /// How long before its end an access token is refreshed unless somebody says otherwise, in
  /// seconds.
  public static let usualMargin: Int64 = 60
  /// What somebody may say, in seconds: none, to a year.
  public static let margins: ClosedRange<Int64> = 0...31_536_000

  /// Reads a margin as flags and settings give it: decimal digits alone, within ``margins``.
  public static func margin(_ text: String) -> Int64? {
    guard text.utf8.allSatisfy({ $0.isASCIIDigit }), let margin = Int64(text),
      margins.contains(margin)
    else { return nil }
    return margin
  }
}

extension StoredSession {
  /// The format version written, and the newest understood.
  public static let version: Int64 = 1

  /// Reads a stored payload.
  ///
  /// - Parameters:
  ///   - line: the item's secret.
  ///   - deployment: where the item says it belongs.
  ///   - account: whose it says it is.
  /// - Throws: ``MalformedInput/payload(reason:)`` when the payload is not ours or belongs to
  ///   another deployment or account, ``MalformedInput/newerPayload(version:)`` when it was written
  ///   by a newer version.
  public init(
    payload line: Secret, deployment: Deployment, account: String
  ) throws(MalformedInput) {
    var payload = try Payload(parsing: line)
    try payload.takeVersion(Self.version, url: deployment.url)
    guard payload.take(text: "account") ?? "" == account else {
      throw .payload(reason: "it belongs to another account")
    }
    guard let method = payload.take(text: "method").flatMap(Method.init(rawValue:)),
      let accessToken = payload.take(secret: "access_token")
    else { throw .payload(reason: "the method or the access token is missing") }
    let isKeptForGit = payload.take(number: "kept_for_git") == 1
    guard method == .basic || isKeptForGit || accessToken.isWord else {
      throw .payload(reason: "the access token holds a blank or a character beyond ASCII")
    }
    self.init(deployment: deployment, account: account, method: method, accessToken: accessToken)
    tokenType = payload.take(text: "token_type") ?? tokenType
    passwordCredential = payload.take(secret: "credential")
    self.isKeptForGit = isKeptForGit
    storedAt = payload.take(number: "stored_at")
    guard isTokenTypeOneWord else { throw .payload(reason: "the token type is not one word") }
    issuedAt = payload.take(number: "issued_at")
    expiresAt = payload.take(number: "expires_at")
    keptUntil = payload.take(number: "kept_until")
    keptSeconds = payload.take(number: "kept_seconds")
    refreshToken = payload.take(secret: "refresh_token")
    scope = payload.take(text: "scope")
    resource = payload.take(text: "resource")
    clientID = payload.take(text: "client_id")
    signedInAt = payload.take(number: "signed_in_at")
    staleSince = payload.take(number: "stale")
    refreshingSince = payload.take(number: "refreshing")
    refreshingBy = payload.take(text: "refreshing_by")
    unknownFields = payload
  }

  /// The payload to store.
  ///
  /// - Throws: ``MalformedInput/unwritable(reason:)``.
  public func payload() throws(MalformedInput) -> Secret {
    guard isTokenTypeOneWord else { throw .unwritable(reason: "the token type is not one word") }
    var payload = Payload()
    payload[number: "v"] = Self.version
    payload[text: "url"] = deployment.url
    payload[text: "account"] = account
    payload[text: "method"] = method.rawValue
    payload[text: "token_type"] = encodedCredential == nil ? nil : tokenType
    payload[secret: "access_token"] = accessToken
    payload[secret: "credential"] = passwordCredential
    payload[number: "kept_for_git"] = isKeptForGit ? 1 : nil
    payload[number: "stored_at"] = storedAt
    payload[number: "issued_at"] = issuedAt
    payload[number: "expires_at"] = expiresAt
    payload[number: "kept_until"] = keptUntil
    payload[number: "kept_seconds"] = keptSeconds
    payload[secret: "refresh_token"] = refreshToken
    payload[text: "scope"] = scope
    payload[text: "resource"] = resource
    payload[text: "client_id"] = clientID
    payload[number: "signed_in_at"] = signedInAt
    payload[number: "stale"] = staleSince
    payload[number: "refreshing"] = refreshingSince
    payload[text: "refreshing_by"] = refreshingBy
    payload.add(unknownFields)
    return try payload.encoded()
  }

  /// RFC 9110 §11.1: "auth-scheme = token". Anything else could add a line to a header.
  var isTokenTypeOneWord: Bool {
    !tokenType.isEmpty && tokenType.utf8.allSatisfy { $0.isTokenCharacter }
  }
}
