import ArgumentParser
import Credentials
import Sessions

/// `erase`: a credential was rejected, or a person takes it back.
struct EraseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "erase",
    abstract: "Take a rejected credential back, given as git-credential attributes.",
    discussion: """
      With a secret, only a session that holds this very secret is touched: an OAuth session will \
      be refreshed at the next get, anything else is removed. Without a secret, every matching \
      session is removed.
      """)

  @OptionGroup var options: CredentialOptions

  func run() throws { try Self.erase(account: options.account) }

  /// Takes back what standard input tells of, of an account unless it names one itself.
  static func erase(account: String?) throws {
    let context = CommandContext()
    var request = try CredentialRequest(fromStandardInput: context)
    request.username = request.username ?? account
    context.store.allowPrompts()
    try CredentialUpdate(store: context.store, lock: context.lock, clock: context.clock)
      .erase(request)
  }
}
