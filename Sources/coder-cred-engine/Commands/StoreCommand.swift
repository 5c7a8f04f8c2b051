import ArgumentParser
import Credentials
import Sessions

/// `store`: git tells us of a credential that worked.
struct StoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Keep a credential, given as git-credential attributes.",
    discussion: "What belongs to an OAuth session is never overwritten.")

  @OptionGroup var options: CredentialOptions

  func run() throws { try Self.store(account: options.account) }

  /// Keeps what standard input tells of, for an account unless it names one itself.
  static func store(account: String?) throws {
    let context = CommandContext()
    if Terminal.isInteractive {
      Terminal.say(
        "Reading what git would tell, such as url=https://git.example.com, username=NAME and "
          + "password=SECRET, a line each, up to an empty line.")
    }
    var request = try CredentialRequest(fromStandardInput: context)
    request.username = request.username ?? account
    context.store.allowPrompts()
    try CredentialUpdate(store: context.store, lock: context.lock, clock: context.clock)
      .store(request)
  }
}
