import ArgumentParser
import Credentials

/// The whole command.
struct CoderCred: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coder-cred",
    abstract: "Tokens for Coder deployments that always work, kept in your desktop's keyring.",
    discussion: """
      Sign in once with coder-cred login URL; from then on coder-cred get answers with a token \
      that works, refreshed when needed.
      """,
    version: "coder-cred \(Version.number)",
    subcommands: [ShowNoticeCommand.self],
    groupedSubcommands: [
      CommandGroup(
        name: "For tools",
        subcommands: [
          GetCommand.self, TokenCommand.self, HeaderCommand.self, APICommand.self, ExecCommand.self,
          StoreCommand.self, EraseCommand.self,
          CapabilityCommand.self,
        ]),
      CommandGroup(
        name: "For people",
        subcommands: [
          LoginCommand.self,
          LogoutCommand.self,
          ListCommand.self,
          StatusCommand.self,
          UseCommand.self,
          ImportCommand.self,
          RefreshCommand.self,
          CallbackCommand.self,
        ]),
    ])
}
