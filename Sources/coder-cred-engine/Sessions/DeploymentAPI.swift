import Credentials
import FoundationEssentials
import HTTP
import OAuth
import Secrets

/// What we ask a deployment beside OAuth.
struct DeploymentAPI {
  let deployment: Deployment
  let policy: EndpointPolicy
  let client: any HTTPClient

  /// Reaches a deployment as the person's settings have it.
  init(_ deployment: Deployment, _ context: CommandContext) throws(Failure) {
    try self.init(deployment, context, client: context.client(for: deployment))
  }

  /// Reaches a deployment with a client that is there already.
  init(
    _ deployment: Deployment, _ context: CommandContext, client: any HTTPClient
  ) throws(Failure) {
    self.deployment = deployment
    policy = try context.endpointPolicy(of: deployment)
    self.client = client
  }

  private struct User: Decodable {
    let username: String
  }

  /// A request of the deployment's own API.
  func request(
    _ method: String = "GET", _ path: String, bearer token: Secret
  ) throws(OAuthError) -> HTTPRequest {
    try policy.api(path).request(
      method, bearer: token, headers: [HTTPField("Accept", "application/json")])
  }

  /// The user name in the response to a question who a token speaks for.
  static func userName(in response: HTTPResponse) -> String? {
    guard response.status == 200,
      let user = try? JSONDecoder().decode(User.self, from: Data(response.body))
    else { return nil }
    // It becomes an attribute, a label and a line of git's protocol.
    let isName = user.username.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    return isName && (1...256).contains(user.username.utf8.count) ? user.username : nil
  }
}
