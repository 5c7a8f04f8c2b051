import Credentials
import FoundationEssentials
import HTTP
import OAuth
import Secrets

/// What we ask a deployment beside OAuth.
struct DeploymentAPI {
  let deployment: Deployment
  let client: any HTTPClient

  /// What a deployment says of a token.
  enum Identity {
    /// The user name it speaks for.
    case user(String)
    /// It does not say, and with which status.
    case refused(status: Int)
    /// There was no answer.
    case failed(HTTPError)
  }

  private struct User: Decodable {
    let username: String
  }

  /// Asks whom a token speaks for.
  func whoAmI(_ token: Secret) -> Identity {
    let request = HTTPRequest(
      url: "\(deployment.url)/api/v2/users/me",
      headers: [.bearer(token), HTTPField("Accept", "application/json")])
    let response: HTTPResponse
    do throws(HTTPError) { response = try client.send(request) } catch { return .failed(error) }
    guard response.status == 200,
      let user = try? JSONDecoder().decode(User.self, from: Data(response.body))
    else { return .refused(status: response.status) }
    // It becomes an attribute, a label and a line of git's protocol.
    let isName = user.username.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isName && (1...256).contains(user.username.utf8.count)
      ? .user(user.username) : .refused(status: response.status)
  }

  /// The user name that a token speaks for; nil when the deployment will not say, as it may refuse
  /// to for a narrow scope.
  func userName(_ token: Secret) -> String? {
    if case .user(let name) = whoAmI(token) { name } else { nil }
  }
}
