import ArgumentParser
import Credentials

/// `config`: the settings file, read and changed without an editor.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Read and change the settings.",
    discussion: """
      The keys and what they mean are in coder-cred(5). Without --url a setting holds for all \
      deployments.
      """,
    subcommands: [Get.self, Set.self, Unset.self, List.self], defaultSubcommand: List.self)

  /// Which deployment's settings are meant.
  struct Place: ParsableArguments {
    @Option(
      help: ArgumentHelp("The settings of this deployment.", valueName: "URL"),
      completion: .deployments)
    var url: String?

    func deployment(_ context: CommandContext) throws -> Deployment? {
      guard let url else { return nil }
      let deployment = try Deployment(url: url)
      try context.requireHTTP(deployment)
      return deployment
    }
  }
}

extension ConfigCommand {
  /// `config get`: one setting as it counts.
  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "get", abstract: "Print the value of a setting.",
      discussion: "With --url: the one that counts there, the deployment's own or that of all.")

    @OptionGroup var place: Place

    @Argument(help: "The key.", completion: .settingKeys)
    var key: String

    func run() throws {
      let context = CommandContext()
      let deployment = try place.deployment(context)
      let known = SettingKey.named(key)
      if known == nil { Terminal.warn(Settings.unknownKey(key)) }
      guard let value = try context.settings().text(key, for: deployment) else {
        let usual = known?.usual.map { "; \($0) holds" } ?? ""
        Terminal.say("\(key) is not set\(usual).")
        return
      }
      try show(value)
      if let objection = known?.objection(to: value) { Terminal.warn("\(key) \(objection)") }
    }
  }

  /// `config set`: one setting, refused unless it makes sense.
  struct Set: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set", abstract: "Change a setting, for all deployments or for one.")

    @OptionGroup var place: Place

    @Argument(help: "The key.", completion: .settingKeys)
    var key: String

    @Argument(help: "The value.")
    var value: String

    func run() throws {
      let context = CommandContext()
      let deployment = try place.deployment(context)
      try requirePlace(deployment)
      // A file that commands cannot read is not changed, but mended.
      _ = try context.settings()
      let value = try checkedValue(context)
      try context.settingsFile().set(key, to: value, for: deployment)
    }

    private func requirePlace(_ deployment: Deployment?) throws(Failure) {
      switch (SettingKey.named(key)?.place, deployment) {
      case (.common, .some):
        throw Failure(
          .fixTheCall, "\(key) holds for all deployments",
          hint: "coder-cred config set \(key) VALUE")
      case (.deployment, nil):
        throw Failure(
          .fixTheCall, "\(key) holds for one deployment",
          hint: "coder-cred config set --url URL \(key) VALUE")
      default: break
      }
    }

    private func checkedValue(_ context: CommandContext) throws -> String {
      guard let known = SettingKey.named(key) else {
        throw Failure(
          .fixTheCall, Settings.unknownKey(Terminal.clean(key)),
          hint: "the keys are in coder-cred(5)")
      }
      if let objection = known.objection(to: value) {
        throw Failure(.fixTheCall, "\(key) \(objection)")
      }
      guard known.place == .common else { return value }
      let deployment = try Deployment(url: value)
      try context.requireConfidential(deployment)
      return deployment.url
    }
  }

  /// `config unset`: a setting that is no more.
  struct Unset: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "unset", abstract: "Remove a setting, of all deployments or of one.")

    @OptionGroup var place: Place

    @Argument(help: "The key.", completion: .settingKeys)
    var key: String

    func run() throws {
      let context = CommandContext()
      let deployment = try place.deployment(context)
      let group = deployment.map(Settings.group(of:)) ?? Settings.commonGroup
      let isSet = try context.settings().entries.contains { $0.group == group && $0.key == key }
      guard isSet else {
        if SettingKey.named(key) == nil { Terminal.warn(Settings.unknownKey(key)) }
        Terminal.say("\(key) is not set in [\(group)].")
        return
      }
      try context.settingsFile().set(key, to: nil, for: deployment)
    }
  }

  /// `config list`: what the file says.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List the settings, of all deployments or as they count for one.")

    @OptionGroup var place: Place

    @Flag(help: "Print a JSON array.")
    var json = false

    private struct Row: Encodable {
      let deployment: String?
      let key: String
      let value: String
    }

    func run() throws {
      let context = CommandContext()
      let deployment = try place.deployment(context)
      let settings = try context.settings()
      let entries = deployment.map { settings.effective(for: $0) } ?? settings.entries
      if json {
        try Terminal.showJSON(
          entries.map { entry in
            Row(
              deployment: entry.group == Settings.commonGroup ? nil : entry.group,
              key: entry.key, value: entry.value)
          })
      } else {
        if entries.isEmpty { Terminal.say("Nothing is set. The keys are in coder-cred(5).") }
        var group = deployment == nil ? "" : nil as String?
        for entry in entries {
          if let last = group, last != entry.group {
            try show("[\(entry.group)]")
            group = entry.group
          }
          try show("\(entry.key)=\(entry.value)")
        }
      }
      for objection in settings.objections() { Terminal.warn(objection.message) }
    }
  }
}

extension Settings {
  /// The settings that count for a deployment, its own before those of all, in the order of their
  /// keys.
  fileprivate func effective(for deployment: Deployment) -> [Entry] {
    let own = Self.group(of: deployment)
    return Swift.Set(entries.map(\.key)).sorted().compactMap { key in
      let found = entries.filter { $0.key == key }
      return found.last { $0.group == own } ?? found.last { $0.group == Self.commonGroup }
    }
  }
}

/// Writes a line of the settings to standard output.
private func show(_ line: String) throws(Failure) {
  try Terminal.show(Terminal.clean(line) + "\n")
}
