import Secrets

/// Where the secrets of one deployment may go.
///
/// Made from the deployment's URL and the user's settings at the time of use, never from anything
/// stored: an endpoint that was found at sign-in is checked again before each request. The only way
/// to a ``TrustedEndpoint``, and so to a request that carries a secret.
public struct EndpointPolicy: Sendable, Hashable {
  /// The deployment's URL.
  let deployment: Endpoint
  private let allowed: [Endpoint]

  /// Makes the policy of a deployment.
  ///
  /// - Parameters:
  ///   - deployment: the deployment's URL, such as `https://dev.coder.com` or
  ///     `https://h.example/coder`.
  ///   - allowedOrigins: URLs at and below which the user allows endpoints, besides the
  ///     deployment's; what is no URL allows nothing.
  /// - Throws: `malformed` when the deployment is no plain URL.
  public init(deployment: String, allowedOrigins: Set<String> = []) throws(OAuthError) {
    guard let url = Endpoint(deployment), url.query == nil else {
      throw .malformed("the deployment is not an absolute https URL")
    }
    self.deployment = url
    allowed = allowedOrigins.compactMap(Endpoint.init)
  }

  /// Checks an endpoint that metadata, a registration or a stored item names.
  ///
  /// - Parameters:
  ///   - url: the URL given.
  ///   - name: what the document calls it, for the error.
  /// - Returns: the endpoint, to which secrets may go.
  /// - Throws: `malformed` for what is no such URL; `foreignEndpoint` for one that is neither at or
  ///   below the deployment's URL nor at or below an allowed one, or that is `http` and neither
  ///   loopback nor the deployment's own scheme.
  public func endpoint(_ url: String, named name: String) throws(OAuthError) -> TrustedEndpoint {
    guard let endpoint = Endpoint(url) else {
      throw .malformed("the \(name) is not an absolute https URL")
    }
    if endpoint.isBelow(deployment) { return TrustedEndpoint(url: url) }
    let origin = endpoint.origin
    guard allowed.contains(where: endpoint.isBelow),
      origin.scheme == "https" || origin.isLoopback || deployment.origin.scheme == "http"
    else { throw .foreignEndpoint(name: name, url: ForeignText.quotation(url) ?? "") }
    return TrustedEndpoint(url: url)
  }

  /// An address of the deployment's own API.
  ///
  /// - Parameter target: a path from the deployment's URL on, with a query if there is one, such as
  ///   `/api/v2/users/me`.
  /// - Returns: the endpoint, to which secrets may go.
  /// - Throws: `foreignEndpoint` when the path could lead out of the deployment, `malformed` when
  ///   it does not make a URL.
  public func api(_ target: String) throws(OAuthError) -> TrustedEndpoint {
    guard target.hasPrefix("/") else { throw .malformed("the path does not begin with a slash") }
    return try endpoint(
      deployment.origin.description + deployment.directory + target, named: "path")
  }

  /// Where a registration is managed, from what the server said: an absolute URL, or a path on the
  /// deployment's origin; `http` becomes `https` where only the scheme is wrong.
  ///
  /// Servers behind a proxy that ends TLS often do not know their own scheme or host.
  ///
  /// - Returns: an absolute URL; nil when it is not the deployment's.
  func managementURL(_ given: String) -> String? {
    var url = given
    if url.hasPrefix("/") && !url.hasPrefix("//") { url = deployment.origin.description + url }
    if let endpoint = Endpoint(url), endpoint.origin.scheme != deployment.origin.scheme,
      endpoint.origin.host == deployment.origin.host, endpoint.origin.scheme == "http"
    {
      url =
        deployment.origin.description + endpoint.path
        + (endpoint.query.map { "?" + $0 } ?? "")
    }
    return (try? endpoint(url, named: "registration_client_uri"))?.url
  }
}

/// An endpoint to which secrets of a deployment may go: checked by its ``EndpointPolicy``.
///
/// Requests that carry a token, a code, a verifier or a client secret are made by this type alone.
/// It is not to be kept: what was allowed at one time may not be later.
public struct TrustedEndpoint: Sendable, Hashable {
  /// The URL.
  public let url: String

  fileprivate init(url: String) {
    self.url = url
  }
}
