import HTTP
import TestDesk
import Testing

/// Settings with deadlines, obeying nothing but the given variables.
func settings(
  connect: Int = 30_000, total: Int = 60_000, _ environment: [String: String] = [:]
) -> TransportSettings {
  TransportSettings(
    userAgent: "coder-cred/test", connectTimeoutMilliseconds: connect,
    totalTimeoutMilliseconds: total,
    environment: environment)
}

private let planted = Canary()

/// A word in secrets, which no error may repeat.
let canary = planted.word

/// The failure of a request that must fail; records a failed test when it does not.
func failure(
  of request: HTTPRequest, _ settings: TransportSettings = settings(),
  sourceLocation: SourceLocation = #_sourceLocation
) -> HTTPError? {
  do {
    let response = try CurlClient(settings: settings).send(request)
    Issue.record("a response came: \(response.status)", sourceLocation: sourceLocation)
    return nil
  } catch {
    #expect(!planted.isIn(error.reason), sourceLocation: sourceLocation)
    return error
  }
}

/// The failure of a `GET` that must fail.
func failure(
  ofGetting url: String, _ settings: TransportSettings = settings(),
  sourceLocation: SourceLocation = #_sourceLocation
) -> HTTPError? {
  failure(of: HTTPRequest(url: url), settings, sourceLocation: sourceLocation)
}

extension HTTPError {
  /// The kind alone, for comparing.
  enum Kind {
    case refusedURL, foreignServer, misconfigured, libraryUnusable, unreachable, timedOut, untrusted
    case clientCertificateRejected, tooLarge, broken
  }

  var kind: Kind {
    switch self {
    case .refusedURL: .refusedURL
    case .foreignServer: .foreignServer
    case .misconfigured: .misconfigured
    case .libraryUnusable: .libraryUnusable
    case .unreachable: .unreachable
    case .timedOut: .timedOut
    case .untrusted: .untrusted
    case .clientCertificateRejected: .clientCertificateRejected
    case .tooLarge: .tooLarge
    case .broken: .broken
    }
  }
}
