import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// What the README shows and says to do, done.
@Suite(.blocking) struct `The README` {
  private func readme() throws -> String {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../README.md").standardized
    return try String(contentsOf: page, encoding: .utf8)
  }

  /// The text of a section, up to the next one.
  private func section(_ title: String) throws -> String {
    let text = try readme()
    let start = try #require(text.range(of: "\n## \(title)\n"))
    let rest = text[start.upperBound...]
    return String(rest[..<(rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex)])
  }

  @Test func `quotes what is said when the keyring is out of reach as it is said`() throws {
    let readme = try readme()
    for provider in [SecretServiceProvider.withoutBus, .withoutService, .locked] {
      try Desk.with(provider) { desk in
        let result = try desk.run(["token", "https://h.example"])
        if let message = result.message("error") {
          #expect(readme.contains("`" + message.prefix(18)), "\(message)")
        }
        let report = try desk.run(["doctor", "--json"])
        #expect(report.status == 69)
      }
    }
  }

  @Test func `begins with a sign-in as it is, with the question that is asked`() throws {
    let start = try #require(readme().range(of: "```console\n$ coder-cred login "))
    let block = try readme()[start.upperBound...].prefix { $0 != "$" }
    let lines = block.split(separator: "\n")
    let example = try #require(lines.first)
    #expect(lines.count == 6)
    try Desk.with { desk in
      try desk.withTerminal(["login", desk.url], environment: desk.browser()) { terminal in
        for line in lines.dropFirst() {
          let words = String(line).replacing(example, with: desk.url)
          if words.hasSuffix("? b") {
            try terminal.expect(String(words.dropLast()))
            terminal.type("b")
          } else {
            // An address is cut off there with an ellipsis.
            let shown = words.hasSuffix("address: …") ? words.dropLast(2) : words[...]
            try terminal.expect(String(shown))
          }
        }
        #expect(terminal.end() == .status(0))
      }
      // The curl line after it.
      let call = try #require(readme().firstMatch(of: /\$ (curl [^$]*?\/users\/me)\n/)?.1)
      let answer = try desk.run(
        "/bin/bash", ["-c", String(call).replacing(example, with: desk.url)],
        environment: desk.path(desk.install()))
      #expect(answer.status == 0 && answer.stdout.contains("\"alice\""), "\(answer.stderr)")
    }
  }

  @Test func `shows no command that prints what the keyring holds`() throws {
    // secret-tool prints secrets, and `--all` prints everybody's.
    let pages = try FileManager.default.contentsOfDirectory(
      at: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../man").standardized, includingPropertiesForKeys: nil)
    let texts =
      try [readme()]
      + pages.filter { ["1", "5", "7"].contains($0.pathExtension) }
      .map { try String(contentsOf: $0, encoding: .utf8) }
    for text in texts {
      #expect(!text.contains("secret-tool search --all") && !text.contains("$ secret-tool"))
      #expect(!text.contains("secret-tool lookup"))
    }
    let kept = try section("How it works")
    #expect(kept.contains("`coder-cred list` names them without a secret"))
    try Desk.withSession { desk in
      for arguments in [["list"], ["list", "--json"], ["status"], ["status", "--json"]] {
        let result = try desk.run(arguments)
        #expect(result.stdout.contains("alice"))
      }
    }
  }

  @Test func `tells how to remove everything, and all that stays`() throws {
    let text = try section("Remove")
    func command(_ words: String) throws -> String {
      let isThere = text.replacing("\n   ", with: " ").contains("`\(words)`")
      #expect(isThere, "\(words)")
      return words
    }
    try Desk.withSession { desk in
      let (archive, prefix) = try desk.unpackArchive()
      try #require(
        desk.run("/bin/sh", ["\(archive)/install.sh", "--prefix", prefix]).status == 0)
      let environment = desk.path("\(prefix)/bin").merging(["SHELL": "/bin/bash"]) { $1 }
      func run(_ words: String) throws -> CommandResult {
        let result = try desk.run("/bin/sh", ["-c", words], environment: environment)
        #expect(result.status == 0, "\(words): \(result.stderr)")
        return result
      }
      // Somebody who has used it for a while.
      _ = try run("coder-cred config set refresh-margin 90")
      for tool in ["bazel", "coder"] {
        _ = try run("coder-cred configure \(tool) --url \(desk.url)")
      }
      _ = try run("git config --global --add credential.helper cache")
      _ = try run("git config --global --add credential.helper coder-cred")
      let password =
        "protocol=https\nhost=git.example.com\nusername=ann\npassword=\(desk.plant())\n"
      try desk.run(["store"], input: password)
      try desk.token("--min-ttl", "31536000")

      for tool in ["bazel", "coder"] {
        _ = try run(
          command("coder-cred configure TOOL --unset").replacing("TOOL", with: tool))
      }
      _ = try run(command("git config --global --unset-all credential.helper coder-cred"))
      let all = try run(command("coder-cred logout --all"))
      #expect(all.stderr.contains("Kept for git: ann at https://git.example.com"))
      _ = try run(
        command("coder-cred logout URL").replacing("URL", with: "https://git.example.com"))
      let uninstall = try command("PREFIX/libexec/coder-cred/install.sh --uninstall")
      let removed = try run(uninstall.replacing("PREFIX", with: prefix))
      #expect(removed.stdout.hasSuffix("Removed from \(prefix).\n"), "\(removed.stdout)")

      #expect(try desk.desktop.items().isEmpty)
      #expect(desk.deployment.liveTokenPairs == 0 && desk.deployment.registeredClients.isEmpty)
      let config = try String(contentsOfFile: "\(desk.directory)/home/.gitconfig", encoding: .utf8)
      #expect(!config.contains("coder-cred") && config.contains("cache"))
      #expect(FileManager.default.subpaths(atPath: prefix)?.isEmpty ?? true)
      // What stays, and where.
      #expect(text.contains("`~/.config/coder-cred`"))
      #expect(text.contains("`$XDG_RUNTIME_DIR/coder-cred`"))
      let left = try ["home", "config", "data", "cache", "state", "run"].flatMap { folder in
        try files("\(desk.directory)/\(folder)").map { "\(folder)/\($0)" }
      }
      let known = [
        "home/.gitconfig", "data/keyrings/", "run/keyring/", "config/coder-cred/config",
        "run/coder-cred/",
      ]
      #expect(left.allSatisfy { file in known.contains(where: file.hasPrefix) }, "\(left)")
    }
  }

  /// The files below a directory, but for directories.
  private func files(_ directory: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory).filter { path in
      let values = try URL(fileURLWithPath: "\(directory)/\(path)")
        .resourceValues(forKeys: [.isDirectoryKey])
      return values.isDirectory != true
    }
  }
}
