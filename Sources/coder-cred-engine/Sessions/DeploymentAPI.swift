import Credentials
import FoundationEssentials
import HTTP
import OAuth
import Secrets

/// What we ask a deployment beside OAuth.
struct DeploymentAPI {
  let deployment: Deployment
  let client: any HTTPClient

  private struct User: Decodable {
    let username: String
  }

  /// Asks who a token speaks for.
  static func whoIs(_ token: Secret, at deployment: Deployment) -> HTTPRequest {
    HTTPRequest(
      url: "\(deployment.url)/api/v2/users/me",
      headers: [.bearer(token), HTTPField("Accept", "application/json")])
  }

  /// The user name that a token speaks for; nil when the deployment will not say, as it may refuse
  /// to for a narrow scope.
  func userName(_ token: Secret) -> String? {
    guard let response = try? client.send(Self.whoIs(token, at: deployment)) else { return nil }
    return Self.userName(in: response)
  }

  /// The user name in the answer to ``whoIs(_:at:)``.
  static func userName(in response: HTTPResponse) -> String? {
    guard response.status == 200,
      let user = try? JSONDecoder().decode(User.self, from: Data(response.body))
    else { return nil }
    // It becomes an attribute, a label and a line of git's protocol.
    let isName = user.username.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isName && (1...256).contains(user.username.utf8.count) ? user.username : nil
  }
}
