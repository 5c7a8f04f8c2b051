import Credentials
import HTTP
import OAuth
import Sessions

/// What a person reads of what a deployment did.
extension Failure {
  /// Translates what an OAuth step ran into at a deployment.
  init(_ error: OAuthError, at deployment: Deployment) {
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
        hint: "if it stays so, sign in again: coder-cred login \(place); with --client-id ID for "
          + "a client that an administrator made")
    case .registrationDisabled(let reason):
      self.init(
        .fixTheServer,
        "\(place) does not let programs register themselves"
          + (reason.map { ": \"\($0.replacing("\"", with: "'"))\"" } ?? ""),
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
    case .refused(let response, _) where response.isAboutClientMetadata:
      self.init(
        .fixTheServer, "\(place): \(error)",
        hint: "use a client that its owner makes (--client-id ID), or --method token")
    case .refused, .redirected, .unavailable, .authorizationFailed, .unsupported, .malformed,
      .foreignResponse:
      self.init(.fixTheServer, "\(place): \(error)")
    }
  }

  /// Translates why a deployment gave no response.
  init(_ error: HTTPError, at deployment: Deployment) {
    switch error {
    case .refusedURL(let reason):
      self.init(.fixTheInput, "\(deployment.url): \(reason)")
    case .foreignServer(let reason):
      self.init(
        .askForAccess, "\(deployment.url) gets nothing without encryption: \(reason)",
        hint: "if you trust that user, set allow-http=true for \(deployment.url) in the "
          + "configuration")
    case .libraryUnusable(let reason):
      self.init(.reportIt, reason, hint: "install libcurl 7.87 or later")
    case .misconfigured(let reason):
      self.init(
        .fixTheCall, reason,
        hint: "see the configuration, coder-cred(5), and coder-cred config list")
    case .unreachable(let reason), .timedOut(let reason), .broken(let reason):
      self.init(
        .retryLater, "\(deployment.url) did not answer: \(reason)",
        hint: ProxyAdvice(.ofThisProcess).hint(for: deployment))
    case .tooLarge(let reason):
      self.init(.fixTheServer, "\(deployment.url): \(reason)")
    case .untrusted(let reason):
      self.init(
        .askForAccess, "\(deployment.url) has a certificate that is not trusted: \(reason)",
        hint: Self.hint(aboutCertificate: reason))
    case .clientCertificateRejected(let reason):
      self.init(
        .askForAccess, "\(deployment.url) did not accept our certificate: \(reason)",
        hint: "see client-certificate and client-key in the configuration")
    }
  }

  private static func hint(aboutCertificate reason: String) -> String {
    if reason.hasSuffix("is not valid yet") || reason.hasSuffix("has expired") {
      return "or this machine's clock is wrong; it says \(WallClock.today)"
    }
    if reason.hasSuffix("is for another host name") {
      return "use the name that the certificate is made for, as your browser does"
    }
    return "for an authority of your own set ca-file in the configuration, or SSL_CERT_FILE"
  }

  /// Translates why a deployment's API gave no response that says anything.
  init(_ reason: DeploymentAPI.NoResponse, at deployment: Deployment) {
    switch reason {
    case .oauth(let error): self.init(error, at: deployment)
    case .unexpected(let status):
      self.init(
        .retryLater,
        (200..<300).contains(status)
          ? "\(deployment.url) answered with something that is not its own"
          : "\(deployment.url) cannot answer now (HTTP \(status))")
    }
  }

  /// Translates what a server keeps although the person signed out.
  init(_ item: UnrevokedItem, at deployment: Deployment) {
    let cause: Failure =
      switch item.reason {
      case .oauth(let error): Failure(error, at: deployment)
      case .unsupported(let status):
        Failure(.fixTheServer, "\(deployment.url) cannot revoke tokens (HTTP \(status))")
      case .unexpected(let status):
        Failure(.unexpected(status: status), at: deployment)
      case .accessTokenDead:
        Failure(.fixTheServer, "the access token has expired already")
      }
    let isTransient =
      switch item.reason {
      case .oauth(.transport): true
      case .oauth(let error): cause.remedy == .retryLater && !error.isAbsence
      default: cause.remedy == .retryLater
      }
    let message =
      switch (item.subject, item.reason) {
      case (.tokens, _):
        "could not revoke the tokens; they stay valid until they expire: \(cause.message)"
      case (.registration(let id), .oauth(.transport)):
        "\(deployment.url) still has the client \(id) registered"
      case (.registration(let id), _): "the client \(id) stays registered: \(cause.message)"
      }
    self.init(isTransient ? .retryLater : .fixTheServer, message)
  }
}

extension OAuthError {
  /// Whether there is nobody at this address who could do what was asked, now or later.
  fileprivate var isAbsence: Bool {
    guard case .unavailable(let status, _, _) = self else { return false }
    return (400..<500).contains(status) && ![408, 429].contains(status)
  }
}
