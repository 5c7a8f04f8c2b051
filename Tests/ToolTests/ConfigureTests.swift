import Foundation
import TestDesk
import Testing

/// `configure`, on files of every state.
@Suite(.blocking) struct `Configuring a tool` {
  private static let url = "https://dev.example.com"

  private func environment(_ desk: Desk) throws -> [String: String] {
    try desk.path(desk.installNames()).merging(["SHELL": "/bin/bash", "CODER_URL": Self.url]) { $1 }
  }

  private func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  private func configure(
    _ desk: Desk, _ one: ConfigureCase, _ flags: String..., environment: [String: String]
  ) throws -> CommandResult {
    try desk.run(["configure", one.tool] + one.more + flags, environment: environment)
  }

  @Test(arguments: ConfigureCase.all)
  func `comes and goes without a trace, on a file of any kind`(one: ConfigureCase) throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/\(one.file)"
      for content in [nil, ""] + one.contents.map(Optional.some) {
        let what: Comment = "\(one.tool): \(content.debugDescription)"
        if let content { try desk.write(content, to: path) }
        let first = try configure(desk, one, environment: environment)
        #expect(first.status == 0, "\(one.tool): \(content.debugDescription): \(first.stderr)")
        let configured = try #require(text(path), what)
        #expect(configured.contains("coder"), what)
        #expect(first.stdout.contains(path), what)
        if let content {
          // Line by line, or at least word by word, what was there is there still.
          for word in content.split(whereSeparator: { " \n\r\t,[]{}=".contains($0) }) {
            #expect(configured.contains(word), what)
          }
          #expect(text("\(path).before-coder-cred") == content, what)
        }
        let again = try configure(desk, one, environment: environment)
        #expect(again.status == 0 && again.output.isEmpty, what)
        #expect(text(path) == configured, what)
        let unset = try configure(desk, one, "--unset", environment: environment)
        #expect(unset.status == 0, "\(unset.stderr)")
        #expect(text(path) == content, what)
        #expect(text("\(path).before-coder-cred") == nil, what)
        let unsetAgain = try configure(desk, one, "--unset", environment: environment)
        #expect(unsetAgain.status == 0 && text(path) == content, what)
        if content != nil { try FileManager.default.removeItem(atPath: path) }
      }
    }
  }

  @Test(arguments: ConfigureCase.all)
  func `leaves a file alone that is malformed, or says something else`(one: ConfigureCase) throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/\(one.file)"
      for content in one.refused {
        try desk.write(content, to: path)
        let result = try configure(desk, one, environment: environment)
        expectFailure(result, 65, saying: path, content)
        #expect(text(path) == content, "\(content)")
        #expect(text("\(path).before-coder-cred") == nil, "\(content)")
      }
      for bytes in [[0x61, 0x00, 0x0A], [0xFF, 0xFE, 0x0A]] as [[UInt8]] {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        expectFailure(try configure(desk, one, environment: environment), 65, saying: path)
        #expect(FileManager.default.contents(atPath: path) == Data(bytes))
      }
    }
  }

  @Test(arguments: ConfigureCase.all)
  func `leaves read-only files alone, and changes what a link leads to`(one: ConfigureCase) throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/\(one.file)"
      let content = one.contents[0]
      try desk.write(content, to: path)
      try FileManager.default.setAttributes([.posixPermissions: 0o440], ofItemAtPath: path)
      expectFailure(try configure(desk, one, environment: environment), 64, saying: "read-only")
      #expect(text(path) == content)
      try FileManager.default.removeItem(atPath: path)

      let real = "\(desk.directory)/dotfiles/real"
      try desk.write(content, to: real)
      try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: real)
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: real)
      #expect(try configure(desk, one, environment: environment).status == 0)
      #expect(text(real)?.contains("coder") == true)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == real)
      let mode = try FileManager.default.attributesOfItem(atPath: real)[.posixPermissions] as? Int
      #expect(mode == 0o640)
      #expect(try configure(desk, one, "--unset", environment: environment).status == 0)
      #expect(text(real) == content)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == real)
    }
  }

  @Test(arguments: ConfigureCase.all)
  func `leaves alone a link that leads to no file`(one: ConfigureCase) throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/\(one.file)"
      let files = FileManager.default
      let folder = "\(desk.directory)/dotfiles"
      try desk.write("", to: "\(folder)/other")
      try desk.write("", to: path)
      // To itself, to a directory, and to what is not there yet, or not any more.
      for target in [path, folder, "\(folder)/real", "\(desk.directory)/none/real"] {
        try files.removeItem(atPath: path)
        try files.createSymbolicLink(atPath: path, withDestinationPath: target)
        for flags in [[], ["--unset"]] {
          let result = try desk.run(
            ["configure", one.tool] + one.more + flags, environment: environment)
          #expect(
            [64, 65].contains(result.status) && result.output.isEmpty, "\(target): \(result)")
          #expect(result.message("error")?.contains(path) == true, "\(result.stderr)")
          #expect(try files.destinationOfSymbolicLink(atPath: path) == target)
        }
      }
      #expect(try files.contentsOfDirectory(atPath: folder) == ["other"])
    }
  }

  @Test(arguments: ConfigureCase.all)
  func `with --print changes nothing`(one: ConfigureCase) throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/\(one.file)"
      let printed = try configure(desk, one, "--print", environment: environment)
      #expect(printed.status == 0 && printed.errors.isEmpty)
      #expect(printed.stdout.contains(path) && printed.stdout.contains("coder"))
      #expect(text(path) == nil)
    }
  }

  @Test func `with --print shows Codex lines that can be pasted as they stand`() throws {
    try Desk.withSession { desk in
      let lines = try desk.run(["configure", "codex", "--print"]).lines
      let provider = try #require(lines.firstIndex { $0.contains("model_provider = ") })
      let table = try #require(lines.firstIndex { $0.contains("[model_providers") })
      // TOML: what follows a table's heading belongs to that table.
      #expect(provider < table)
    }
  }

  @Test(arguments: ConfigureCase.all)
  func `keeps what was written later when it goes`(one: ConfigureCase) throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/\(one.file)"
      let content = try #require(one.contents.first { $0.count > 5 })
      try desk.write(content, to: path)
      #expect(try configure(desk, one, environment: environment).status == 0)
      let configured = try #require(text(path))
      // A blank line is harmless in each of these formats.
      try desk.write(configured + "\n\n", to: path)
      #expect(try configure(desk, one, "--unset", environment: environment).status == 0)
      let left = try #require(text(path))
      #expect(!left.contains("coder-cred"))
      #expect(left.hasSuffix("\n\n"))
      #expect(
        left.trimmingCharacters(in: .whitespacesAndNewlines)
          == content.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  @Test func `never shows what else a file holds`() throws {
    try Desk.with(.withoutBus) { desk in
      let path = "\(desk.directory)/home/.docker/config.json"
      desk.expectSecret(in: path)
      desk.expectSecret(in: "\(path).before-coder-cred")
      for rest in ["}", ", \"credsStore\": \"\(desk.plant())\"}", ""] {
        try desk.write("{\"auths\": {\"r\": {\"auth\": \"\(desk.plant())\"}}\(rest)", to: path)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        let environment = try desk.path(installed(desk))
        try desk.run(["configure", "docker"], environment: environment)
        try desk.run(["configure", "docker", "--print"], environment: environment)
        guard rest == "}" else { continue }
        let backup = "\(path).before-coder-cred"
        let mode = try FileManager.default.attributesOfItem(atPath: backup)[.posixPermissions]
        #expect(mode as? Int == 0o600)
      }
    }
  }

  @Test func `leaves what was said before in the same words`() throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      let path = "\(desk.directory)/home/.claude/settings.json"
      let content = """
        { "env": { "ANTHROPIC_BASE_URL": "\(Self.url)/api/v2/aibridge/anthropic" } }

        """
      try desk.write(content, to: path)
      #expect(try desk.run(["configure", "claude"], environment: environment).status == 0)
      #expect(try #require(text(path)).contains("apiKeyHelper"))
      #expect(
        try desk.run(["configure", "claude", "--unset"], environment: environment).status == 0)
      #expect(text(path) == content)
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `leaves another user's file alone`() throws {
    try Desk.with(.withoutBus) { desk in
      let path = "\(desk.directory)/home/.bazelrc"
      try desk.write("# mine\n", to: path)
      try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: path)
      expectFailure(
        try desk.run(["configure", "bazel"], environment: environment(desk)), 64,
        saying: "another user")
      #expect(text(path) == "# mine\n")
    }
  }

  private func installed(_ desk: Desk) throws -> String {
    let directory = "\(desk.directory)/bin"
    return access(directory, F_OK) == 0 ? directory : try desk.installNames()
  }

  @Test func `names a program that is not on the path by its place`() throws {
    try Desk.with(.withoutBus) { desk in
      let environment = ["CODER_URL": Self.url]
      #expect(try desk.run(["configure", "git"], environment: environment).status == 0)
      let git = try #require(text("\(desk.directory)/home/.gitconfig"))
      #expect(git.contains("helper = \"\(desk.program)\""))
      expectFailure(
        try desk.run(["configure", "cargo"], environment: environment), 64,
        saying: "cargo-credential-coder-cred is not installed")
    }
  }

  @Test func `replaces what it had added for another deployment`() throws {
    try Desk.with(.withoutBus) { desk in
      let environment = try environment(desk)
      for (tool, file) in [
        ("bazel", "home/.bazelrc"), ("codex", "home/.codex/config.toml"),
        ("claude", "home/.claude/settings.json"), ("git", "home/.gitconfig"),
      ] {
        let path = "\(desk.directory)/\(file)"
        for host in ["one.example", "two.example"] {
          let result = try desk.run(
            ["configure", tool, "--url", host], environment: environment)
          #expect(result.status == 0, "\(result.stderr)")
        }
        let content = try #require(text(path))
        #expect(content.contains("two.example") && !content.contains("one.example"), "\(tool)")
        #expect(try desk.run(["configure", tool, "--unset"], environment: environment).status == 0)
        #expect(text(path) == nil, "\(tool)")
      }
    }
  }
}
