import Secrets

/// What our items in the keyring are found by, and called.
///
/// Attributes are identity only, and never change. The full set of one item is never part of
/// another's, but for a plain credential with a path, which is also found by its server.
public enum ItemIdentity {
  /// The attributes of sessions: of one deployment and account, or with nil of any.
  public static func session(of deployment: Deployment?, account: String? = nil) -> [String: String]
  {
    attributes("session", deployment, account)
  }

  /// The attributes of the item that a session is kept in.
  public static func item(of session: StoredSession) -> [String: String] {
    var attributes = Self.session(of: session.deployment, account: session.account)
    if session.isPlain, !session.deployment.path.isEmpty {
      attributes["server"] = session.deployment.server.url
    }
    return attributes
  }

  /// The attributes of plain credentials that are kept under any path of a server.
  public static func plainSessions(on server: Deployment) -> [String: String] {
    var attributes = session(of: nil)
    attributes["server"] = server.url
    return attributes
  }

  /// The attributes of the sessions that a request may mean: of these deployments, or with nil of any,
  /// and before them those of an account at the first deployment, if one is preferred.
  public static func searches(
    for deployments: [Deployment]?, preferring account: String?
  ) -> [[String: String]] {
    guard let deployments else { return [session(of: nil)] }
    let all = deployments.map { session(of: $0) }
    guard let account, let first = deployments.first else { return all }
    return [session(of: first, account: account)] + all
  }

  /// The attributes of whatever holds a secret that a request to erase may tell of, as long as its
  /// host has one spelling.
  public static func searches(erasing request: CredentialRequest) -> [[String: String]] {
    let all = searches(for: request.deployment.withParents, preferring: nil)
    return request.place.path.isEmpty ? all + [plainSessions(on: request.place)] : all
  }

  /// The attributes of registrations: of one deployment, or with nil of any.
  public static func registration(of deployment: Deployment?) -> [String: String] {
    attributes("client", deployment, nil)
  }

  /// What people's keyring applications call the item of a session; a user name that holds what a
  /// line of text does not show is cleaned.
  public static func label(of session: StoredSession) -> String {
    let who = session.account.isEmpty ? "" : "\(ForeignText.label(session.account)) @ "
    let what = session.method == .basic ? "password" : session.isPlain ? "credential" : "Coder"
    return "\(who)\(session.deployment.name) (\(what))"
  }

  /// Whether a label is that of a plain credential: what a locked keyring still tells of an item's kind.
  public static func isLabelOfPlainCredential(_ label: String) -> Bool {
    label.hasSuffix(" (password)") || label.hasSuffix(" (credential)")
  }

  /// What they call the item of a registration.
  public static func registrationLabel(of deployment: Deployment) -> String {
    "\(deployment.name) (Coder OAuth client)"
  }

  private static func attributes(
    _ kind: String, _ deployment: Deployment?, _ account: String?
  ) -> [String: String] {
    var attributes = ["application": "coder-cred", "kind": kind]
    attributes["deployment"] = deployment?.url
    attributes["account"] = account
    return attributes
  }
}
