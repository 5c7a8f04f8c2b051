import Credentials
import OAuth
import Sessions

/// Makes sure that an address is a Coder deployment, before a secret is asked for.
struct DeploymentCheck {
  let flow: LoginFlow

  /// Asks what is at the address, and, when it is no deployment, at the addresses above it: people
  /// copy the address of a page.
  ///
  /// - Throws: ``LoginError/notDeployment(found:pageOf:)``; ``LoginError/noResponse(_:)`` when nobody
  ///   can say now.
  func run() throws(LoginError) {
    switch try identity(of: flow.deployment) {
    case .deployment: return
    case .noResponse(let reason): throw .noResponse(reason)
    case .other(let found):
      // The first is the address itself.
      for parent in flow.deployment.withParents.dropFirst() {
        if case .deployment = try identity(of: parent) {
          throw .notDeployment(found: found, pageOf: parent)
        }
      }
      throw .notDeployment(found: found, pageOf: nil)
    }
  }

  private func identity(of deployment: Deployment) throws(LoginError) -> DeploymentAPI.Identity {
    let services = flow.services
    return try flow.asking { () throws(OAuthError) in
      DeploymentAPI(
        policy: try services.policy(deployment),
        client: services.client(deployment, .canTakeItsTime)
      ).identity()
    }
  }
}
