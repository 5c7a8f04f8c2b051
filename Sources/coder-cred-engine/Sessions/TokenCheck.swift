import Credentials
import FoundationEssentials
import HTTP
import OAuth
import Secrets

/// What a deployment says about a token, told apart by what to do next.
extension DeploymentAPI {
  /// What came of asking who a token speaks for.
  enum TokenCheck {
    /// It works; the name is nil when it cannot be used.
    case works(as: String?)
    /// The deployment does not accept it.
    case rejected
    /// It may be good, but is not allowed to ask.
    case unclear(status: Int)
    /// There is no answer to the question.
    case unanswered(Failure)
  }

  /// Asks who a token speaks for, with the token as it is.
  func check(of token: Secret) -> TokenCheck {
    let response: HTTPResponse
    do throws(Failure) { response = try send("GET", "/api/v2/users/me", token) } catch {
      return .unanswered(error)
    }
    switch response.status {
    case 200 where response.isJSON: return .works(as: Self.userName(in: response))
    case 401 where response.isJSON: return .rejected
    case 403, 404: return .unclear(status: response.status)
    case let status: return .unanswered(.unexpected(status, from: deployment))
    }
  }

  private func send(
    _ method: String, _ path: String, _ token: Secret
  ) throws(Failure) -> HTTPResponse {
    let request: HTTPRequest
    do throws(OAuthError) { request = try self.request(method, path, bearer: token) } catch {
      throw Failure(error, at: deployment)
    }
    do throws(HTTPError) { return try client.send(request) } catch {
      throw Failure(error, at: deployment)
    }
  }

  private struct BuildInformation: Decodable {
    let version: String
  }

  /// The deployment's version as it names it; nil when it does not.
  func version() -> String? {
    let request = HTTPRequest(
      url: "\(deployment.url)/api/v2/buildinfo", headers: [HTTPField("Accept", "application/json")])
    guard let response = try? client.send(request), response.status == 200,
      let build = try? JSONDecoder().decode(BuildInformation.self, from: Data(response.body))
    else { return nil }
    return build.version.utf8.count <= 100 ? Terminal.clean(build.version) : nil
  }

  /// What came of ending a token with the deployment's own sign-out.
  enum ServerLogout {
    case ended
    /// It was no longer good before.
    case rejected
    case unsupported(status: Int)
    /// There was an answer that decides nothing.
    case unanswered(Failure)
    /// The deployment could not even be asked.
    case unreached(Failure)
  }

  /// Ends the token, and with an OAuth token its whole grant, where OAuth itself is switched off.
  func end(_ token: Secret) -> ServerLogout {
    let response: HTTPResponse
    do throws(Failure) { response = try send("POST", "/api/v2/users/logout", token) } catch {
      return .unreached(error)
    }
    switch response.status {
    case 200 where response.isJSON: return .ended
    case 401 where response.isJSON: return .rejected
    case 400..<500 where ![408, 429].contains(response.status):
      return .unsupported(status: response.status)
    case let status: return .unanswered(.unexpected(status, from: deployment))
    }
  }
}

extension HTTPResponse {
  /// A proxy's or a captive portal's page under status 200 is nobody's answer.
  fileprivate var isJSON: Bool { mediaType == "application/json" }
}

extension Failure {
  fileprivate static func unexpected(_ status: Int, from deployment: Deployment) -> Failure {
    (200..<300).contains(status)
      ? Failure(.retryLater, "\(deployment.url) answered with something that is not its own")
      : Failure(.retryLater, "\(deployment.url) cannot answer now (HTTP \(status))")
  }
}
