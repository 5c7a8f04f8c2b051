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
    guard let session = request.session(now: context.clock.now) else { return }
    context.store.allowPrompts()
    let known = try context.store.sessions(of: session.deployment, account: request.username)
    // What we handed out comes back, sometimes after a refresh made it old: it is not news.
    if known.contains(where: { $0.method == .oauth && request.isServed(by: $0) }) { return }
    if known.contains(where: { $0.hasSameCredential(as: session) }) { return }
    try context.store.save(session)
  }
}
