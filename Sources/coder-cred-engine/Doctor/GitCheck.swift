import ArgumentParser
import Credentials
import Secrets

/// The helpers that git asks, in its order.
private struct GitHelpers {
  /// One line of git's configuration.
  struct Setting {
    /// The URL it is for; nil for all.
    let url: String?
    let helper: String
  }

  private let settings: [Setting]

  /// Reads `git config -z --get-regexp`, whose entries are "KEY\nVALUE\0".
  init(_ output: String) {
    settings = output.utf8.split(separator: 0).compactMap { entry in
      let parts = entry.split(
        separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
      guard let key = parts.first.flatMap({ String($0) }), key.hasPrefix("credential.") else {
        return nil
      }
      let helper = parts.count > 1 ? String(parts[1]) ?? "" : ""
      let url = key.dropFirst("credential.".count).dropLast("helper".count)
      return Setting(url: url.isEmpty ? nil : String(url.dropLast()), helper: helper)
    }
  }

  /// Those that are asked for a deployment; nil for any other server.
  ///
  /// git-config(1), credential.helper: "If a helper is the empty string, this resets the helper list".
  func asked(for deployment: Deployment?) -> [String] {
    var helpers: [String] = []
    for setting in settings {
      if let url = setting.url {
        guard let deployment, let pattern = try? Deployment(url: url),
          deployment.withParents.contains(pattern)
        else { continue }
      }
      if setting.helper.isEmpty { helpers = [] } else { helpers.append(setting.helper) }
    }
    return helpers
  }
}

extension DoctorCheck {
  /// Whether git asks us, finds us, and asks nobody before.
  static var git: DoctorCheck {
    DoctorCheck("git") { context in
      guard ChildProgram.executable(named: "git", context.environment) != nil else {
        return [.ok("not installed")]
      }
      let helpers = GitHelpers(
        context.output("git", ["config", "-z", "--get-regexp", "^credential\\.(.*\\.)?helper$"])
          ?? "")
      let deployments = context.deployments.map(\.deployment)
      let places = deployments.isEmpty ? [nil] : deployments.map(Optional.some)
      var isAsked = false
      for deployment in places {
        let asked = helpers.asked(for: deployment)
        guard let index = asked.firstIndex(where: isOurs) else { continue }
        isAsked = true
        guard isFound(asked[index], context) else {
          return [
            .failure(
              "it is to ask coder-cred, and does not find git-credential-coder-cred in PATH",
              fix: "ln -s coder-cred "
                + "\(Installation()?.directory ?? "")/git-credential-coder-cred".shellWord)
          ]
        }
        if index > 0 {
          let place = deployment.map { " for \($0.url)" } ?? ""
          return [
            .warning(
              "it asks “\(name(of: asked[index - 1]))” before coder-cred\(place): a stale password "
                + "there is tried first",
              fix: deployment.map { before($0) } ?? "git config --global --edit")
          ]
        }
      }
      return [.ok(isAsked ? "asks coder-cred first" : "does not ask coder-cred")]
    }
  }

  /// An empty helper for this URL resets the list of those before.
  private static func before(_ deployment: Deployment) -> String {
    "git config --global --add credential.\(deployment.url).helper ''\n"
      + "git config --global --add credential.\(deployment.url).helper coder-cred"
  }

  private static func isOurs(_ helper: String) -> Bool {
    let program = helper.utf8.drop { $0 == UInt8(ascii: "!") }.prefix { $0 != 0x20 }
    let name = program.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) }
    return name == "coder-cred" || name == "git-credential-coder-cred"
  }

  /// gitcredentials(7): a name without a path is `git credential-NAME`, found in `PATH`.
  private static func isFound(_ helper: String, _ context: DoctorContext) -> Bool {
    guard helper.utf8.first != UInt8(ascii: "!"),
      let name = String(helper.utf8.prefix { $0 != 0x20 })
    else { return true }
    let program = name.hasPrefix("/") ? name : "git-credential-\(name)"
    return ChildProgram.executable(named: program, context.environment) != nil
  }

  /// The helper without its arguments, which may hold a secret, as may a shell command.
  private static func name(of helper: String) -> String {
    guard helper.utf8.first != UInt8(ascii: "!") else { return "a shell command" }
    return ForeignText.label(String(helper.utf8.prefix { $0 != 0x20 }) ?? "")
  }

  /// A token that the Coder CLI has left in a file.
  static var coderCLI: DoctorCheck {
    DoctorCheck("Coder CLI") { context in
      guard let files = CoderCLIFiles(nil, context.environment),
        let token = context.contents(of: files.sessionPath, limit: 1), !token.isEmpty
      else { return [.ok("keeps no token in a file")] }
      return [
        .warning(
          "its token lies in \(context.shown(files.sessionPath)), readable by every program",
          fix: "coder-cred import --remove",
          repair: Finding.Repair(question: "Take over the Coder CLI's token, and remove its file") {
            try ImportCommand.parse(["--remove"]).run()
          })
      ]
    }
  }
}
