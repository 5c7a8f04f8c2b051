import FoundationEssentials
package import HTTP
package import OAuth
package import Secrets

/// What we ask a deployment beside OAuth, each response told apart by what to do next.
package struct DeploymentAPI {
  private let policy: EndpointPolicy
  private let client: any HTTPClient

  /// Asks the deployment of a policy through an HTTP client.
  package init(_ policy: EndpointPolicy, client: any HTTPClient) {
    self.policy = policy
    self.client = client
  }

  /// Why there is no response that says anything.
  package enum NoResponse: Error, Equatable, Sendable {
    /// The deployment could not be reached.
    case transport(HTTPError)
    /// A proxy or a portal responded, or the deployment cannot respond now.
    case unexpected(status: Int)
  }

  /// What came of asking whose a token is.
  package enum TokenCheck: Equatable, Sendable {
    /// It works; the name is nil when it cannot be used.
    case works(account: String?)
    /// The deployment does not accept it.
    case rejected
    /// It may be good, but is not allowed to ask.
    case unclear(status: Int)
    /// Nobody knows.
    case noResponse(NoResponse)
  }

  /// Asks whose a token is, with the token as it is.
  package func check(_ token: Secret) -> TokenCheck {
    let response: HTTPResponse
    do throws(HTTPError) { response = try send("GET", "/api/v2/users/me", token) } catch {
      return .noResponse(.transport(error))
    }
    switch response.status {
    case 200 where response.isJSON: return .works(account: Self.userName(in: response))
    case 401 where response.isJSON: return .rejected
    case 403, 404: return .unclear(status: response.status)
    case let status: return .noResponse(.unexpected(status: status))
    }
  }

  /// What came of ending a token with the deployment's own sign-out.
  package enum ServerLogout: Equatable, Sendable {
    /// It is ended.
    case ended
    /// It was no longer good before.
    case rejected
    /// The deployment does not do that.
    case unsupported(status: Int)
    /// Nobody knows.
    case noResponse(NoResponse)
  }

  /// Ends the token, and with an OAuth token its whole grant, where OAuth itself is switched off.
  package func logout(_ token: Secret) -> ServerLogout {
    let response: HTTPResponse
    do throws(HTTPError) { response = try send("POST", "/api/v2/users/logout", token) } catch {
      return .noResponse(.transport(error))
    }
    switch response.status {
    case 200 where response.isJSON: return .ended
    case 401 where response.isJSON: return .rejected
    case 400..<500 where ![408, 429].contains(response.status):
      return .unsupported(status: response.status)
    case let status: return .noResponse(.unexpected(status: status))
    }
  }

  /// The deployment's version as it names it, at most 100 bytes; nil when it does not.
  package func version() -> String? {
    guard let response = try? send("GET", "/api/v2/buildinfo", nil),
      response.status == 200,
      let build = try? JSONDecoder().decode(BuildInformation.self, from: Data(response.body))
    else { return nil }
    return build.version.utf8.count <= 100 ? build.version : nil
  }

  private struct User: Decodable {
    let username: String
  }

  private struct BuildInformation: Decodable {
    let version: String
  }

  private func send(
    _ method: String, _ path: String, _ token: Secret?
  ) throws(HTTPError) -> HTTPResponse {
    let endpoint: TrustedEndpoint
    do throws(OAuthError) { endpoint = try policy.api(path) } catch {
      throw .refusedURL(reason: "\(error)")
    }
    let accept = [HTTPField("Accept", "application/json")]
    return try client.send(
      token.map { endpoint.request(method, bearer: $0, headers: accept) }
        ?? HTTPRequest(method: method, url: endpoint.url, headers: accept))
  }

  private static func userName(in response: HTTPResponse) -> String? {
    guard let user = try? JSONDecoder().decode(User.self, from: Data(response.body)) else {
      return nil
    }
    // It becomes an attribute, a label and a line of git's protocol.
    let isName = user.username.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isName && (1...256).contains(user.username.utf8.count) ? user.username : nil
  }
}

extension HTTPResponse {
  /// Whether it can be the deployment's own: a page is a proxy's or a captive portal's.
  package var isJSON: Bool { mediaType == "application/json" }
}
