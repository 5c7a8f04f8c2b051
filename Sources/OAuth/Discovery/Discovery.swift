public import HTTP

extension AuthorizationServerMetadata {
  /// Finds a deployment's metadata (RFC 8414 §3, then OpenID Connect Discovery §4).
  ///
  /// The first address that answers 200 with JSON for this issuer wins. A redirect within the
  /// deployment's origin is followed once.
  ///
  /// - Parameters:
  ///   - deployment: the deployment's URL, such as `https://dev.coder.com`.
  ///   - client: the way to the network.
  ///   - allowedOrigins: origins other than the issuer's on which endpoints may lie.
  ///   - now: the time in Unix seconds.
  /// - Returns: the checked metadata.
  /// - Throws: `notOffered` when the deployment has no OAuth, `unavailable` when it cannot say
  ///   now, `issuerMismatch` when only another issuer answered, and what the initialiser throws.
  public static func discover(
    deployment: String, client: any HTTPClient, allowedOrigins: Set<String> = [], now: Int64
  ) throws(OAuthError) -> AuthorizationServerMetadata {
    guard let base = Endpoint(deployment), base.query == nil else {
      throw .malformed("the deployment is not an absolute https URL")
    }
    var failures: [OAuthError] = []
    for url in wellKnownURLs(base) {
      do {
        let object = try document(at: url, origin: base.origin, client: client, now: now)
        return try AuthorizationServerMetadata(
          object, deployment: deployment, allowedOrigins: allowedOrigins)
      } catch {
        switch error {
        // Another address may do better; which failure to tell is decided when none does.
        case .notOffered, .unavailable, .issuerMismatch: failures.append(error)
        // A document of this issuer that lacks something is the last word.
        default: throw error
        }
      }
    }
    throw failures.first(where: { !$0.isAbsence }) ?? failures.first ?? .notOffered("no metadata")
  }

  /// The addresses to try, in order.
  static func wellKnownURLs(_ base: Endpoint) -> [String] {
    let path = base.path.hasSuffix("/") ? String(base.path.dropLast()) : base.path
    let server = "/.well-known/oauth-authorization-server"
    // RFC 8414 §3.1: "If the issuer identifier value contains a path component, any terminating
    // "/" MUST be removed before inserting "/.well-known/" and the well-known URI suffix between
    // the host component and the path component."
    var paths = [server + path]
    // A deployment under a path answers only below it: everything else goes to its neighbour.
    if !path.isEmpty { paths.append(path + server) }
    paths.append(path + "/.well-known/openid-configuration")
    return paths.map { base.origin.description + $0 }
  }

  private static func document(
    at url: String, origin: Origin, client: any HTTPClient, now: Int64
  ) throws(OAuthError) -> JSONObject {
    let accept = [HTTPField("Accept", "application/json")]
    var answer = try client.exchange(HTTPRequest(url: url, headers: accept))
    if [301, 302, 307, 308].contains(answer.status) {
      let location = answer.header("Location") ?? ""
      let target = location.hasPrefix("/") ? origin.description + location : location
      guard !location.hasPrefix("//"), let next = Endpoint(target) else {
        throw .absent("redirects to nowhere")
      }
      guard next.origin == origin else { throw .absent("redirects to \(next.origin)") }
      answer = try client.exchange(HTTPRequest(url: next.url, headers: accept))
    }
    switch answer.status {
    case 200: break
    case 408, 429, 500...: throw OAuthError(answer: answer, now: now)
    default:
      let message = JSONObject(answer.body).flatMap(OAuthError.message)
      throw .absent("answers HTTP \(answer.status)\(message.map { ": " + $0 } ?? "")")
    }
    // Without OAuth, unknown paths fall through to the dashboard: 200, but a page.
    guard let type = answer.mediaType, type == "application/json" || type.hasSuffix("+json") else {
      throw .absent("answers with a page instead of JSON")
    }
    guard let object = JSONObject(answer.body) else {
      throw .malformed("the OAuth metadata is not a JSON object")
    }
    return object
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
