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
    subcommands: [ShowNotice.self],
    groupedSubcommands: [
      CommandGroup(
        name: "For tools",
        subcommands: [
          Get.self, Token.self, Header.self, API.self, Exec.self, Store.self, Erase.self,
          Capability.self,
        ]),
      CommandGroup(
        name: "For people",
        subcommands: [
          Login.self,
          Logout.self,
          List.self,
          Status.self,
          Use.self,
          Import.self,
          Refresh.self,
          Callback.self,
        ]),
    ])
}
