import HTTP
import Secrets

/// A response with the secrets of its request: whatever of it is shown goes through
/// ``quotation(_:)``.
struct ServerResponse {
  let http: HTTPResponse
  private let secrets: [Secret]

  init(_ http: HTTPResponse, secrets: [Secret] = []) {
    self.http = http
    self.secrets = secrets
  }

  var status: Int { http.status }
  var isSuccess: Bool { (200..<300).contains(status) }

  /// A text of the server, fit to be shown, without our secrets; nil when nothing remains.
  func quotation(_ text: String) -> String? { ForeignText.quotation(text, redacting: secrets) }
}

extension HTTPClient {
  /// Sends a request without secrets.
  func exchange(_ request: HTTPRequest) throws(OAuthError) -> ServerResponse {
    try exchange(SecretRequest(http: request, secrets: []))
  }

  /// Sends a request that carries secrets; the target's one funnel from `HTTPError`.
  func exchange(_ request: SecretRequest) throws(OAuthError) -> ServerResponse {
    do {
      return ServerResponse(try send(request.http), secrets: request.secrets)
    } catch {
      throw .transport(error)
    }
  }
}
