import ArgumentParser
import Credentials
import Secrets
import Sessions

/// `store`: git tells us of a credential that worked.
struct StoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Keep a credential, given as git-credential attributes.",
    discussion: "What belongs to an OAuth session is never overwritten.")

  @OptionGroup var options: CredentialOptions

  func run() throws {
    let context = CommandContext()
    var request = try CredentialRequest(fromStandardInput: context)
    request.username = request.username ?? options.account
    try store(request, context)
  }

  private func store(_ request: CredentialRequest, _ context: CommandContext) throws {
    // git-credential(1): an ephemeral credential "should not be saved".
    guard !request.isEphemeral, let session = StoredSession(request, now: context.clock.now) else {
      return
    }
    context.store.allowPrompts()
    let known = try context.store.sessions(of: session.deployment, account: request.username)
    // What we handed out comes back, sometimes after a refresh made it old: it is not news.
    if known.contains(where: { $0.method == .oauth && request.isServed(by: $0) }) { return }
    if let old = known.first(where: { $0.account == session.account }),
      old.hasSameCredential(as: session)
    {
      return
    }
    try context.store.save(session)
  }
}

extension StoredSession {
  /// What a request tells of; nil when it lacks a secret or tells of one already dead.
  fileprivate init?(_ request: CredentialRequest, now: Int64) {
    guard request.expiresAt.map({ $0 > now }) ?? true else { return nil }
    if let authtype = request.authtype, let credential = request.credential {
      self.init(
        deployment: request.deployment, account: request.username ?? "", method: .token,
        accessToken: credential)
      tokenType = authtype
    } else if let username = request.username, let password = request.password {
      self.init(
        deployment: request.deployment, account: username, method: .basic, accessToken: password)
    } else {
      return nil
    }
    expiresAt = request.expiresAt
    refreshToken = request.refreshToken
  }

  /// Whether it tells nothing that the other does not: then nothing needs writing.
  fileprivate func hasSameCredential(as other: StoredSession) -> Bool {
    method == other.method && accessToken == other.accessToken && tokenType == other.tokenType
      && expiresAt == other.expiresAt && refreshToken == other.refreshToken && staleSince == nil
  }
}
