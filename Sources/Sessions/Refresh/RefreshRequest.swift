import Credentials
import HTTP
import OAuth
import Secrets

/// The request that spends a refresh token, sent again where the first response shows what was wrong
/// with it: the client's secret was replaced, or the token endpoint has moved.
struct RefreshRequest {
  /// What came of it.
  enum Outcome {
    case tokens(TokenResponse)
    case failed(OAuthError)
    /// The deployment says at two addresses that it does not know the client any more.
    case registrationGone
  }

  let services: SessionServices
  let session: StoredSession
  let refreshToken: Secret
  let registration: StoredRegistration
  let http: any HTTPClient
  /// Whether the metadata may be read anew; they are asked for rarely, since a deployment whose
  /// OAuth is switched off looks as if its token endpoint had moved.
  let mayRediscover: Bool
  /// Whether they were.
  private(set) var hasRediscovered = false

  init(
    services: SessionServices, session: StoredSession, refreshToken: Secret,
    registration: StoredRegistration, http: any HTTPClient, mayRediscover: Bool
  ) {
    self.services = services
    self.session = session
    self.refreshToken = refreshToken
    self.registration = registration
    self.http = http
    self.mayRediscover = mayRediscover
  }

  /// Sends it, twice at most: the second time only when the first is known to have spent nothing.
  mutating func send() -> Outcome {
    do throws(OAuthError) {
      let policy = try services.policy(session.deployment)
      do throws(OAuthError) {
        return .tokens(try refresh(with: registration, policy))
      } catch {
        guard error.grantState == .unspent else { throw error }
        if error.isClientRefused { return try recover(fromRefusedClient: error, policy) }
        if error.isEndpointGone, mayRediscover {
          return try recover(fromMovedEndpoint: error, policy)
        }
        throw error
      }
    } catch {
      return .failed(error)
    }
  }

  private func refresh(
    with registration: StoredRegistration, _ policy: EndpointPolicy
  ) throws(OAuthError) -> TokenResponse {
    try registration.tokenEndpoint(policy).refresh(
      refreshToken, resource: session.resource, client: http, now: services.clock.now)
  }

  /// `invalid_client` may mean a new secret, a server that is wrong for a moment, or the end of the
  /// client, which alone ends its sessions.
  private func recover(
    fromRefusedClient error: OAuthError, _ policy: EndpointPolicy
  ) throws(OAuthError) -> Outcome {
    let status = registration.information.status(
      tokenEndpoint: registration.tokenEndpoint, policy: policy, client: http,
      now: services.clock.now)
    switch status {
    case .gone: return .registrationGone
    case .unknown(let reason):
      services.trace("the client is not accepted, and nobody can say why: \(reason ?? error)")
      throw Self.momentary(error)
    case .registered(let current, _):
      var changed = registration
      changed.information = current
      keep(changed)
      guard changed.authentication != registration.authentication else {
        throw Self.momentary(error)
      }
      services.trace("the client's secret was replaced: once more with the new one")
      return .tokens(try refresh(with: changed, policy))
    }
  }

  /// A refusal of a client that exists, or may: the deployment may be wrong for a moment.
  private static func momentary(_ error: OAuthError) -> OAuthError {
    guard case .refused(let response, let status) = error else { return error }
    return .unavailable(status: status, reason: response.summary, retryAfter: nil)
  }

  /// Reads the metadata anew.
  private mutating func recover(
    fromMovedEndpoint error: OAuthError, _ policy: EndpointPolicy
  ) throws(OAuthError) -> Outcome {
    hasRediscovered = true
    guard
      let metadata = try? AuthorizationServerMetadata.discover(
        policy, client: http, now: services.clock.now),
      metadata.issuer == registration.issuer,
      metadata.tokenEndpoint != registration.tokenEndpoint
    else { throw error }
    var changed = registration
    changed.tokenEndpoint = metadata.tokenEndpoint
    changed.revocationEndpoint = metadata.revocationEndpoint
    keep(changed)
    services.trace("the token endpoint has moved: once more at \(metadata.tokenEndpoint)")
    return .tokens(try refresh(with: changed, policy))
  }

  /// Keeps what the server has changed, unless a sign-in has replaced the registration meanwhile.
  private func keep(_ changed: StoredRegistration) {
    guard changed != registration else { return }
    do throws(StoreError) {
      guard try services.store.registration(of: registration.deployment) == registration else {
        return
      }
      try services.store.save(changed)
    } catch {
      services.warn(.notSaved(error))
    }
  }
}
