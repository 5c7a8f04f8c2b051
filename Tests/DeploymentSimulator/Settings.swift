extension DeploymentSimulator {
  /// The three generations of server behaviour a client meets.
  public enum Era: String, Sendable, Codable, CaseIterable, Comparable {
    /// About v2.30: the `oauth2` experiment, PKCE optional.
    case a = "A"
    /// About v2.37: registration is a setting, PKCE mandatory.
    case b = "B"
    /// v2.38 and later: public clients, loopback ports, client authentication everywhere.
    case c = "C"

    /// Orders the eras by time.
    public static func < (left: Era, right: Era) -> Bool { left.rawValue < right.rawValue }
  }

  /// Where the metadata of a deployment below a path is served.
  public enum WellKnownForm: String, Sendable, Codable, CaseIterable {
    /// RFC 8414 section 3.1: `/.well-known/oauth-authorization-server/coder`.
    case inserted
    /// `/coder/.well-known/oauth-authorization-server`.
    case appended
  }

  /// What pressing "Allow" on the consent page leads to.
  public enum Consent: String, Sendable, Codable {
    /// The person's decision counts.
    case ask
    /// Every decision becomes a refusal.
    case deny
  }

  /// Everything that can be chosen about a deployment; all but `host` and `port` may change later.
  public struct Settings: Sendable, Codable {
    /// The generation of behaviour.
    public var era: Era = .c
    /// A loopback address to bind.
    public var host: String = "127.0.0.1"
    /// The port to bind, 0 for any.
    public var port: Int = 0
    /// A path the whole deployment lives below, such as `/coder`, or empty.
    public var basePath: String = ""
    /// Which well-known addresses are served when there is a base path.
    public var wellKnownForms: Set<WellKnownForm> = Set(WellKnownForm.allCases)
    /// The configured access URL, when it differs from the address that is asked.
    public var accessURL: String?
    /// Seconds an access token lives.
    public var accessTokenLifetime: Int = 86_400
    /// Seconds a refresh token lives; 0 means as long as an access token.
    public var refreshTokenLifetime: Int = 2_592_000
    /// Seconds an authorization code lives.
    public var codeLifetime: Int = 600
    /// Seconds an expired access token stays stored; its refresh token is purged with it.
    public var keyRetention: Int = 604_800
    /// Whether the OAuth provider is switched on.
    public var providerEnabled: Bool = true
    /// A server older than OAuth: its paths fall through to the web application's page.
    public var oauthAbsent: Bool = false
    /// Early era A: well-known documents are served although the provider is off.
    public var wellKnownUngated: Bool = false
    /// Dynamic client registration. Real deployments start with it off from era B; era A has no switch.
    public var dynamicRegistrationEnabled: Bool = true
    /// Whether the first user was set up.
    public var firstUserExists: Bool = true
    /// The accounts that exist from the start; the scripted browser is signed in as the first.
    public var users: [String] = ["alice"]
    /// The password of every account, for `POST /api/v2/users/login`.
    public var password: String = "SomeSecurePassword!"
    /// Requests per minute and endpoint in era C; nil switches limiting off.
    public var rateLimitPerMinute: Int?
    /// `Retry-After` of a rate limit response, in seconds; nil sends none.
    public var retryAfter: Int?
    /// Whether using an access token prolongs it, at most once an hour.
    public var slidingExpiry: Bool = false
    /// The scope names this deployment knows.
    public var scopeCatalog: [String] = Scopes.catalog
    /// Bytes a token or revocation request may have in era C.
    public var bodyLimit: Int = 65_536
    /// What "Allow" leads to.
    public var consent: Consent = .ask
    /// Letters and digits put into every token, code and secret, so that leaks can be searched for.
    public var canary: String?
    /// A directory that a workspace serves below `/files/` to who has a token; nil for none.
    public var files: String?
    /// The authentication scheme in which it takes the token: `Bearer`, or `Basic` with the token as the
    /// password.
    public var filesScheme: String = "Bearer"
    /// Whether the device grant (RFC 8628) is offered; no deployment of these eras does.
    public var deviceGrantOffered: Bool = false
    /// Seconds between two token requests of a device.
    public var deviceInterval: Int = 1
    /// Whether a refresh token that is sent a second time ends the grant it belonged to (RFC 9700
    /// section 4.14.2); no deployment of these eras does that.
    public var revokesOnReuse: Bool = false
    /// Milliseconds every response takes at least.
    public var latency: Int = 0

    /// The defaults: era C with everything switched on.
    public init() {}

    /// The defaults for one era, with these accounts.
    public init(era: Era, users: [String] = ["alice"]) { (self.era, self.users) = (era, users) }
  }
}
