import FoundationEssentials
package import HTTP
package import OAuth
package import Secrets

/// What we ask a deployment beside OAuth, each response told apart by what to do next.
package struct DeploymentAPI {
  private let policy: EndpointPolicy
  private let client: any HTTPClient

  /// Asks the deployment of a policy through an HTTP client.
  package init(policy: EndpointPolicy, client: any HTTPClient) {
    self.policy = policy
    self.client = client
  }

  /// Why there is no response that says anything.
  package enum NoResponse: Error, Equatable, Sendable {
    /// The deployment could not be reached, or must not be asked.
    case oauth(OAuthError)
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
    do throws(OAuthError) { response = try send("GET", "/api/v2/users/me", token) } catch {
      return .noResponse(.oauth(error))
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
    do throws(OAuthError) { response = try send("POST", "/api/v2/users/logout", token) } catch {
      return .noResponse(.oauth(error))
    }
    switch response.status {
    case 200 where response.isJSON: return .ended
    case 401 where response.isJSON: return .rejected
    case 400..<500 where ![408, 429].contains(response.status):
      return .unsupported(status: response.status)
    case let status: return .noResponse(.unexpected(status: status))
    }
  }

  /// Until when a deployment keeps an API key.
  package struct KeptKey: Equatable, Sendable {
    /// In Unix seconds; use may prolong it.
    package let until: Int64
    /// How long a key is kept that is not used, in seconds.
    package let seconds: Int64?
  }

  /// Until when the deployment keeps a token that it made as an API key; nil when it does not say.
  package func keptKey(of token: Secret) -> KeptKey? {
    guard let id = token.keyID,
      let response = try? send("GET", "/api/v2/users/me/keys/\(id)", token),
      response.status == 200, response.isJSON,
      let key = try? JSONDecoder().decode(APIKey.self, from: Data(response.body)),
      let until = Self.seconds(rfc3339: key.expires_at), until > 0
    else { return nil }
    return KeptKey(
      until: until, seconds: key.lifetime_seconds.flatMap { $0 > 0 ? $0 : nil })
  }

  /// The deployment's version as it names it, at most 100 bytes; nil when it does not.
  package func version() -> String? {
    if case .deployment(let version) = identity() { version } else { nil }
  }

  /// What is at an address.
  package enum Identity: Equatable, Sendable {
    /// A Coder deployment, and its version: at most 100 bytes.
    case deployment(version: String)
    /// Something else: what it responded with.
    case other(String)
    /// Nobody knows.
    case noResponse(NoResponse)
  }

  /// Asks whether a Coder deployment is here; no secret is sent.
  package func identity() -> Identity {
    let response: HTTPResponse
    do throws(OAuthError) {
      let url = try policy.api("/api/v2/buildinfo").url
      do throws(HTTPError) {
        response = try client.send(HTTPRequest(url: url, headers: [Self.acceptsJSON]))
      } catch { throw .transport(error) }
    } catch {
      return .noResponse(.oauth(error))
    }
    switch response.status {
    case 200:
      if let build = try? JSONDecoder().decode(BuildInformation.self, from: Data(response.body)),
        (1...100).contains(build.version.utf8.count)
      {
        return .deployment(version: build.version)
      }
      return .other(response.isJSON ? "something else than a version" : "a web page")
    case 408, 429, 500...: return .noResponse(.unexpected(status: response.status))
    case let status: return .other("HTTP \(status)")
    }
  }

  private struct User: Decodable {
    let username: String
  }

  private struct BuildInformation: Decodable {
    let version: String
  }

  private struct APIKey: Decodable {
    let expires_at: String
    let lifetime_seconds: Int64?
  }

  /// A time as RFC 3339 §5.6 writes it, in Unix seconds; nil for anything else. Fractions of a second
  /// do not matter.
  private static func seconds(rfc3339 text: String) -> Int64? {
    guard text.utf8.count <= 40 else { return nil }
    let fraction = text.utf8.firstIndex(of: UInt8(ascii: ".")).map { dot in
      dot..<(text.utf8[dot...].dropFirst().firstIndex { !(0x30...0x39).contains($0) }
        ?? text.utf8.endIndex)
    }
    var whole = text
    if let fraction { whole.removeSubrange(fraction) }
    guard let date = try? Date(whole, strategy: .iso8601) else { return nil }
    return Int64(exactly: date.timeIntervalSince1970.rounded(.down))
  }

  private static let acceptsJSON = HTTPField("Accept", "application/json")

  private func send(
    _ method: String, _ path: String, _ token: Secret
  ) throws(OAuthError) -> HTTPResponse {
    let request = try policy.api(path).request(
      method, bearer: token, headers: [Self.acceptsJSON])
    do throws(HTTPError) { return try client.send(request) } catch { throw .transport(error) }
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
  /// A proxy's or a captive portal's page with status 200 is no response of the deployment.
  package var isJSON: Bool { mediaType == "application/json" }
}
