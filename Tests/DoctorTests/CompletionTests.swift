import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A shell with our completions loaded, as people have it.
struct Shell: Sendable, CustomTestStringConvertible {
  let name: String
  let arguments: [String]
  /// Loads the script at `$SCRIPT`, and shows a prompt that is known.
  let setUp: [String]

  var testDescription: String { name }

  static let all = [
    Shell(
      name: "bash", arguments: ["--noprofile", "--norc", "-i"],
      setUp: ["bind 'set enable-bracketed-paste off'", "source \"$SCRIPT\"", "PS1='REA''DY> '"]),
    Shell(
      name: "zsh", arguments: ["-f", "-i"],
      setUp: [
        "unset zle_bracketed_paste",
        "autoload -Uz compinit && compinit -u -D", "source \"$SCRIPT\"", "PS1='REA''DY> '",
      ]),
    Shell(
      name: "fish", arguments: ["--no-config", "-i"],
      setUp: [
        "set -g fish_autosuggestion_enabled 0", "source $SCRIPT",
        "function fish_prompt; echo -n REA''DY'> '; end",
      ]),
  ]
}

@Suite(.blocking) struct `Completions` {
  /// Types the beginning of a command line into a shell and presses Tab and Enter; more than once where
  /// the keyring is asked, which is not waited for long.
  private func complete(
    _ line: String, in shell: Shell, _ desk: Desk, expecting words: String, attempts: Int = 1
  ) throws {
    let script = "\(desk.directory)/completions.\(shell.name)"
    let text = try desk.run(["--generate-completion-script", shell.name])
    #expect(text.status == 0 && text.messages.isEmpty)
    try desk.write(text.stdout, to: script)
    let environment = try desk.path(desk.install()).merging([
      "SCRIPT": script, "TERM": "xterm", "HISTFILE": "",
    ]) { $1 }
    try desk.withTerminal("/usr/bin/env", [shell.name] + shell.arguments, environment: environment)
    { terminal in
      for line in shell.setUp { terminal.type(line) }
      try terminal.expect("READY> ")
      for _ in 1..<attempts {
        terminal.type("\(line)\t")
        if eventually(timeoutSeconds: 15, { terminal.transcript.contains(words) }) { break }
      }
      if !terminal.transcript.contains(words) { terminal.type("\(line)\t") }
      try terminal.expect(words)
      terminal.type("exit")
      _ = terminal.end()
    }
  }

  @Test(arguments: Shell.all)
  func `know the deployments that are signed in, by their URLs`(shell: Shell) throws {
    try Desk.withSession { desk in
      // What is completed is run: it says as whom.
      try complete(
        "coder-cred status http", in: shell, desk, expecting: "account:    alice", attempts: 3)
      #expect(desk.deployment.requests.isEmpty)
    }
  }

  @Test(arguments: Shell.all)
  func `know deployments by their hosts, and accounts`(shell: Shell) throws {
    try Desk.with { desk in
      let kept =
        "protocol=https\nhost=git.example\nusername=annabelle\npassword=\(desk.plant())\n\n"
      try #require(try desk.run(["store"], input: kept).status == 0)
      try complete(
        "coder-cred use --force git.ex", in: shell, desk, expecting: "https://git.example\r\n",
        attempts: 3)
      // What is completed is run: it says as whom.
      try complete(
        "coder-cred token nowhere.example --account ann", in: shell, desk,
        expecting: "as annabelle", attempts: 3)
    }
  }

  @Test(arguments: Shell.all)
  func `know commands, their options, and the keys of the settings`(shell: Shell) throws {
    try Desk.with { desk in
      try desk.configure("refresh-margin=4711")
      try complete("coder-cred config get refresh-", in: shell, desk, expecting: "4711")
      try complete("coder-cred config li", in: shell, desk, expecting: "refresh-margin=4711")
    }
  }

  @Test(arguments: Shell.all)
  func `leave what follows exec -- to the command that is run there`(shell: Shell) throws {
    try Desk.withSession { desk in
      try desk.script("echo I am strip''ed", at: "\(desk.install())/zebra-tool")
      try complete(
        "coder-cred exec --url \(desk.url) -- zebra-t", in: shell, desk, expecting: "I am striped")
      try desk.write("", to: "\(desk.directory)/zebra-file")
      try complete(
        "coder-cred exec -- ls \(desk.directory)/zebra-f", in: shell, desk,
        expecting: "\(desk.directory)/zebra-file")
    }
  }

  @Test func `are for three shells, named or in SHELL`() throws {
    try Desk.with { desk in
      for shell in ["bash", "zsh", "fish"] {
        let named = try desk.run(["--generate-completion-script", shell])
        #expect(named.status == 0 && named.lines.count > 100 && named.messages.isEmpty)
        #expect(try desk.run(["--generate-completion-script=\(shell)"]).output == named.output)
        let own = try desk.run(
          ["--generate-completion-script"], environment: ["SHELL": "/usr/bin/\(shell)"])
        #expect(own.output == named.output)
        // Piped or not, as an engine of its own or through the fast path.
        #expect(
          try desk.run(
            ["--generate-completion-script", shell], environment: ["CODER_CRED_ENGINE": "1"]
          ).output == named.output)
      }
      expectFailure(
        try desk.run(["--generate-completion-script", "tcsh"]), 64, saying: "bash, zsh and fish")
      expectFailure(
        try desk.run(["--generate-completion-script"]), 64, saying: "bash, zsh and fish")
    }
  }

  @Test(arguments: [SecretServiceProvider.withoutBus, .withoutService, .locked, .fake([.hangs])])
  func `offer nothing, without a word, when the keyring does not tell`(
    keyring: SecretServiceProvider
  ) throws {
    try Desk.with(keyring) { desk in
      let result = try desk.run(
        ["---completion", "token", "--", "positional@0", "2", "0", "coder-cred", "token", ""])
      #expect(result.status == 0 && result.messages.isEmpty)
      #expect(result.stdout.split(separator: "\n").isEmpty)
    }
  }

  @Test func `are known to every command that takes a deployment or an account`() throws {
    var help: [String: Any] = [:]
    try Desk.with(.withoutBus) { desk in
      let dump = try desk.run(["--experimental-dump-help"])
      help = try #require(try dump.json() as? [String: Any])
    }
    var count = 0
    func visit(_ command: [String: Any]) {
      guard command["shouldDisplay"] as? Bool != false else { return }
      let name = command["commandName"] as? String ?? ""
      for argument in command["arguments"] as? [[String: Any]] ?? [] {
        let value = argument["valueName"] as? String ?? ""
        let names = (argument["names"] as? [[String: Any]] ?? []).map {
          $0["name"] as? String ?? ""
        }
        guard value == "url" || names.contains("url") || names.contains("account") else { continue }
        count += 1
        #expect(argument["completionKind"] != nil, "\(name) \(names) \(value)")
      }
      for subcommand in command["subcommands"] as? [[String: Any]] ?? [] { visit(subcommand) }
    }
    visit(try #require(help["command"] as? [String: Any]))
    #expect(count > 15)
  }
}
