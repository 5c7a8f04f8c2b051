import ArgumentParser
import Credentials
import SecretService

/// Names that shells offer at a Tab: of what is stored, by the attributes of the items alone.
///
/// No secret is read, nobody is asked to unlock anything, and what fails offers nothing: whoever
/// presses Tab wants no error.
private enum StoredNames {
  /// Whoever presses Tab waits.
  private static let timeoutSeconds = 2

  /// The deployment and account of each session.
  static func sessions() -> [(deployment: Deployment, account: String)] {
    guard
      let service = try? SecretService(prompts: .never, timeoutSeconds: timeoutSeconds),
      let items = try? service.search(Attributes(ItemIdentity.session(of: nil)))
    else { return [] }
    return items.compactMap { item in
      guard let url = item.attributes["deployment"], let deployment = try? Deployment(url: url)
      else { return nil }
      return (deployment, item.attributes["account"] ?? "")
    }
  }

  /// Words as the shell that asks takes them: without what would need quoting, and for zsh, which reads
  /// a description after a colon, with a backslash before each.
  static func offered(_ names: some Sequence<String>) -> [String] {
    let words = names.filter { name in
      !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
    }.sorted()
    return CompletionShell.requesting == .zsh
      ? words.map { $0.replacing(":", with: "\\:") } : words
  }
}

extension CompletionKind {
  /// The deployments that somebody is signed in to: by their URLs, and once something is typed by
  /// their bare hosts, too.
  static let deployments = CompletionKind.custom { _, _, prefix in
    let deployments = Set(StoredNames.sessions().map(\.deployment)).filter(\.isHTTP)
    let hosts = deployments.filter { $0.scheme == "https" }.map(\.name)
    return StoredNames.offered(deployments.map(\.url) + (prefix.isEmpty ? [] : hosts))
  }

  /// The accounts that are signed in, at the deployment that the command line names, else anywhere.
  static let accounts = CompletionKind.custom { words, _, _ in
    let sessions = StoredNames.sessions()
    let named = Set(words.compactMap { try? Deployment(url: $0) })
    let meant = sessions.filter { named.contains($0.deployment) }
    return StoredNames.offered(Set((meant.isEmpty ? sessions : meant).map(\.account)))
  }

  /// The keys of the settings.
  static let settingKeys = CompletionKind.list(SettingKey.all.map(\.name))
}
