public import HTTP

extension AuthorizationServerMetadata {
  /// Finds a deployment's metadata (RFC 8414 §3, then OpenID Connect Discovery §4).
  ///
  /// The first address that holds metadata of this issuer wins. A redirect within the deployment's
  /// origin is followed once; nothing secret is sent.
  ///
  /// - Parameters:
  ///   - deployment: the deployment's URL, such as `https://dev.coder.com`.
  ///   - client: the HTTP client.
  ///   - allowedOrigins: URLs at and below which endpoints may lie besides the deployment's.
  ///   - now: the time in Unix seconds.
  /// - Returns: the checked metadata.
  /// - Throws: `notOffered` when the deployment has no OAuth, `moved` when it is elsewhere,
  ///   `unavailable` when it cannot say now, `issuerMismatch` when only another issuer responded,
  ///   and what the initialiser throws.
  public static func discover(
    deployment: String, client: any HTTPClient, allowedOrigins: Set<String> = [], now: Int64
  ) throws(OAuthError) -> AuthorizationServerMetadata {
    try discover(
      EndpointPolicy(deployment: deployment, allowedOrigins: allowedOrigins), client: client,
      now: now)
  }

  /// Finds the metadata of a policy's deployment.
  public static func discover(
    _ policy: EndpointPolicy, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> AuthorizationServerMetadata {
    var failures: [OAuthError] = []
    for path in wellKnownPaths(policy.deployment) {
      do {
        let document = try document(at: path, policy.deployment, client: client, now: now)
        return try AuthorizationServerMetadata(document: document, policy: policy)
      } catch {
        switch error {
        // Another address may do better; which failure to tell is decided when none does.
        case .notOffered, .unavailable, .issuerMismatch, .malformed, .moved, .foreignEndpoint:
          failures.append(error)
        // A document of this issuer that lacks something is the last word.
        default: throw error
        }
      }
    }
    throw failures.first(where: { !$0.isAbsence }) ?? failures.first ?? .notOffered("no metadata")
  }

  /// The paths to try, in order.
  ///
  /// What lies below the deployment's own URL is its own; the root of its host may be somebody
  /// else's, and comes second.
  static func wellKnownPaths(_ deployment: Endpoint) -> [String] {
    let path = String(deployment.directory)
    let server = "/.well-known/oauth-authorization-server"
    let openID = "/.well-known/openid-configuration"
    guard !path.isEmpty else { return [server, openID] }
    // RFC 8414 §3.1: "If the issuer identifier value contains a path component, any terminating
    // "/" MUST be removed before inserting "/.well-known/" and the well-known URI suffix between
    // the host component and the path component."
    return [path + server, server + path, path + openID, openID + path]
  }

  private static func document(
    at path: String, _ deployment: Endpoint, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> [UInt8] {
    let origin = deployment.origin
    let accept = [HTTPField("Accept", "application/json")]
    let request = HTTPRequest(url: origin.description + path, headers: accept)
    var response = try client.exchange(request)
    if [301, 302, 307, 308].contains(response.status) {
      let next = try redirectTarget(response, of: path, deployment)
      response = try client.exchange(HTTPRequest(url: next, headers: accept))
    }
    switch response.status {
    // RFC 9110 §15.3.4: a 200 that a proxy has transformed.
    case 200, 203: break
    case 408, 429, 500...: throw OAuthError(response, now: now)
    default:
      let message = JSONObject(response.http.body).flatMap {
        OAuthError.message(of: $0, in: response)
      }
      throw .absent("says HTTP \(response.status)\(message.map { ": \"\($0)\"" } ?? "")")
    }
    // Without OAuth, unknown paths fall through to the dashboard: 200, but a page. The body is
    // judged and not its type, which servers get wrong.
    guard response.http.body.first(where: { $0 > 0x20 }) != UInt8(ascii: "<"),
      !response.http.body.isEmpty
    else { throw .absent("holds a page instead of JSON") }
    return response.http.body
  }

  /// Where to look next; throws when that is not ours to look at.
  private static func redirectTarget(
    _ response: ServerResponse, of path: String, _ deployment: Endpoint
  ) throws(OAuthError) -> String {
    let location = response.http.header("Location") ?? ""
    let origin = deployment.origin
    let target = location.hasPrefix("/") ? origin.description + location : location
    guard !location.hasPrefix("//"), let next = Endpoint(target) else {
      throw .absent("redirects to nowhere")
    }
    if next.origin == origin { return next.url }
    // The same document elsewhere: the whole deployment has moved.
    if next.path == path, next.origin.scheme == "https" || deployment.origin.scheme == "http" {
      throw .moved(to: next.origin.description + deployment.directory)
    }
    throw .absent("redirects to \(next.origin)")
  }
}

extension OAuthError {
  /// There is no metadata document, and what is there instead.
  fileprivate static func absent(_ what: String) -> OAuthError {
    .notOffered("its metadata address \(what)")
  }

  fileprivate var isAbsence: Bool {
    if case .notOffered = self { true } else { false }
  }
}
