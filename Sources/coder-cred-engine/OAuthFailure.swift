import Credentials
import HTTP
import OAuth

extension Failure {
  /// Translates what an OAuth step ran into at a deployment.
  init(_ error: OAuthError, at deployment: Deployment) {
    self.init(translating: error, at: deployment)
    cause = error
  }

  private init(translating error: OAuthError, at deployment: Deployment) {
    let place = deployment.url
    switch error {
    case .transport(let error):
      self.init(error, at: deployment)
    case .unavailable(let status, _, let retryAfter) where !(200...299).contains(status):
      self.init(
        .retryLater, "\(place): \(error)",
        hint: retryAfter.map { "the deployment asks to wait \($0) s" })
    case .denied:
      self.init(.askForAccess, "\(place): \(error)")
    case .refused where error.isClientRefused:
      self.init(
        .askForAccess, "\(place): \(error)",
        hint: "if an administrator made the client, give its secret anew: coder-cred login "
          + "\(place) --client-id ID")
    case .registrationDisabled:
      self.init(
        .fixTheServer, "\(place) does not let programs register themselves",
        hint: "ask its owner to run: coder oauth2-provider dcr enable; or use --client-id, or "
          + "--method token")
    case .issuerMismatch(_, let found) where error.isIssuerWithoutTLS:
      self.init(
        .fixTheServer, "\(place) says that it is \(found), without encryption",
        hint: "its owner must set CODER_ACCESS_URL to \(place)")
    case .issuerMismatch(_, let found):
      self.init(
        .fixTheServer, "\(place) says that it is \(found)",
        hint: "if you trust that address, add --accept-issuer")
    case .notOffered:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "sign in with a session token: coder-cred login \(place) --method token")
    case .superseded, .interrupted:
      self.init(.retryLater, "\(place): \(error)")
    case .timedOut:
      self.init(
        .retryLater, "nobody finished signing in to \(place) in time",
        hint: "try again: coder-cred login \(place); an error that the browser shows may be told "
          + "only there")
    case .portBusy, .noLoopback:
      self.init(.retryLater, "\(error)")
    case .foreignEndpoint:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "if you trust that site, name it in allowed-origins for \(place) in the configuration"
      )
    case .moved(let url):
      self.init(
        .fixTheServer, "\(place): \(error)", hint: "sign in there: coder-cred login \(url)")
    case .unavailable, .redirected, .refused, .authorizationFailed, .unsupported, .malformed,
      .foreignResponse:
      self.init(.fixTheServer, "\(place): \(error)")
    }
  }

  /// Translates why a deployment gave no answer.
  init(_ error: HTTPError, at deployment: Deployment) {
    switch error {
    case .refusedURL(let reason):
      self.init(.fixTheInput, "\(deployment.url): \(reason)")
    case .misconfigured(let reason):
      self.init(.fixTheCall, reason, hint: "see the configuration, coder-cred(1)")
    case .unreachable(let reason), .timedOut(let reason), .broken(let reason):
      self.init(.retryLater, "\(deployment.url) did not answer: \(reason)")
    case .tooLarge(let reason):
      self.init(.fixTheServer, "\(deployment.url): \(reason)")
    case .untrusted(let reason):
      self.init(
        .askForAccess, "\(deployment.url) has a certificate that is not trusted: \(reason)",
        hint: reason.hasSuffix("is not valid yet") || reason.hasSuffix("has expired")
          ? "or this machine's clock is wrong; it says \(WallClock.today)"
          : "for an authority of your own set ca-file in the configuration, or SSL_CERT_FILE")
    case .clientCertificateRejected(let reason):
      self.init(
        .askForAccess, "\(deployment.url) did not accept our certificate: \(reason)",
        hint: "see client-certificate and client-key in the configuration")
    }
  }
}

extension OAuthError {
  /// Whether the deployment, or the way to it, is in trouble, rather than something of our own.
  var isOfDeployment: Bool {
    switch self {
    case .transport(.refusedURL), .transport(.misconfigured), .foreignEndpoint: false
    default: true
    }
  }
}
