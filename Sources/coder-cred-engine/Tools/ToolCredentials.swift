import Credentials
import Secrets
import Sessions

/// What a tool gives us to keep for servers that are no deployments, such as docker's registries.
///
/// It is kept under URLs whose scheme is the tool's name, so that no tool gets, lists or overwrites
/// what another one or git has stored for the same host, nor a deployment's session.
struct ToolCredentials {
  let context: CommandContext
  /// The tool's name, a scheme.
  let tool: String

  /// What is kept for a server; nil when nothing is.
  func kept(for server: Deployment) throws(StoreError) -> StoredSession? {
    try context.store.sessions(of: server.kept(for: tool), account: nil)
      .first { $0.method == .basic }
  }

  /// Everything that is kept for the tool.
  func all() throws(StoreError) -> [StoredSession] {
    try context.store.entries(of: nil).compactMap { entry in
      guard case .session(let session) = entry.content, session.method == .basic,
        session.deployment.scheme == tool
      else { return nil }
      return session
    }
  }

  /// Keeps a secret in place of what is kept for the server, whoever's it is.
  func keep(_ secret: Secret, of user: String, for server: Deployment) throws {
    context.store.allowPrompts()
    let session = StoredSession(
      deployment: server.kept(for: tool), account: user, method: .basic, accessToken: secret)
    let former = try context.store.sessions(of: session.deployment, account: nil)
    if former.count == 1, former[0].hasSameCredential(as: session) { return }
    try context.services().withLock(of: session) { store throws(StoreError) in
      try store.save(session)
      for other in former where other.account != user {
        try store.removeSessions(of: other.deployment, account: other.account)
      }
    }
  }

  /// Removes what is kept for a server.
  ///
  /// - Returns: whether there was anything.
  func forget(_ server: Deployment) throws -> Bool {
    guard let session = try kept(for: server) else { return false }
    context.store.allowPrompts()
    try context.services().withLock(of: session) { store throws(StoreError) in
      try store.removeSessions(of: session.deployment, account: nil)
    }
    return true
  }
}
