/// How a ``CurlClient`` reaches its servers: who it says it is, whom it trusts, and its limits.
///
/// The environment may carry a proxy's password, so settings print nothing of it.
public struct TransportSettings: Sendable {
  /// The `User-Agent` field's value, such as `coder-cred/0.1.0` (RFC 9110 §10.1.5).
  public var userAgent: String
  /// The time for name resolution, connecting, proxy and TLS together; at least 1.
  public var connectTimeoutMilliseconds: Int
  /// The time for the whole exchange, to the last byte of the body; at least 1.
  public var totalTimeoutMilliseconds: Int
  /// The time without a single byte after which a transfer is given up, rounded down to whole
  /// seconds; nil leaves it to ``totalTimeoutMilliseconds``.
  public var idleTimeoutMilliseconds: Int?
  /// The most bytes of header lines accepted, interim responses and trailers included.
  public var maximumHeaderBytes: Int
  /// The most bytes of body accepted, counted after decoding any content coding.
  public var maximumBodyBytes: Int
  /// A PEM file of authorities to trust instead of the system's and of `SSL_CERT_FILE`.
  public var caFile: String?
  /// A PEM file with the client certificate and its chain.
  public var clientCertificateFile: String?
  /// A PEM file with the client certificate's key, when it is not in the certificate's file.
  ///
  /// A key under a passphrase cannot be used: nothing here ever asks for one.
  public var clientKeyFile: String?
  /// Whether `http` is allowed to hosts other than loopback, and on loopback to programs of
  /// other users than our own and root.
  public var allowsPlainHTTP: Bool
  /// The variables to obey: `SSL_CERT_FILE`, `SSL_CERT_DIR`, and `HTTPS_PROXY`, `HTTP_PROXY`,
  /// `ALL_PROXY` and `NO_PROXY` in capitals or in lower case; of others only that `REQUEST_METHOD`
  /// is there, which marks a CGI program.
  ///
  /// The process's own environment is never consulted.
  public var environment: [String: String]

  /// Makes settings: 10 s to connect, 30 s in all, 64 KiB of header lines and 1 MiB of body.
  public init(
    userAgent: String, connectTimeoutMilliseconds: Int = 10_000,
    totalTimeoutMilliseconds: Int = 30_000,
    maximumHeaderBytes: Int = 65_536, maximumBodyBytes: Int = 1_048_576, caFile: String? = nil,
    clientCertificateFile: String? = nil, clientKeyFile: String? = nil,
    allowsPlainHTTP: Bool = false, environment: [String: String] = [:]
  ) {
    self.userAgent = userAgent
    self.connectTimeoutMilliseconds = connectTimeoutMilliseconds
    self.totalTimeoutMilliseconds = totalTimeoutMilliseconds
    self.maximumHeaderBytes = maximumHeaderBytes
    self.maximumBodyBytes = maximumBodyBytes
    self.caFile = caFile
    self.clientCertificateFile = clientCertificateFile
    self.clientKeyFile = clientKeyFile
    self.allowsPlainHTTP = allowsPlainHTTP
    self.environment = environment
  }

  /// The first of some variables that is set; an empty one counts as unset, as it does for curl.
  func variable(_ names: [String]) -> (name: String, value: String)? {
    for name in names {
      if let value = environment[name], !value.isEmpty { return (name, value) }
    }
    return nil
  }
}

extension TransportSettings: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The user agent alone.
  public var description: String { "TransportSettings(\(userAgent))" }

  /// The same as ``description``.
  public var debugDescription: String { description }

  /// Shows nothing but ``description``.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
