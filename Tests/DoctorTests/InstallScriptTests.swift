import Foundation
import TestDesk
import Testing

/// `install.sh` of the archive, with the programs as built.
@Suite(.blocking) struct `install.sh` {
  private func files(_ directory: String) -> [String] {
    FileManager.default.subpaths(atPath: directory)?.sorted() ?? []
  }

  @Test func `explains itself on standard output`() throws {
    try Desk.with(.withoutBus) { desk in
      let (archive, _) = try desk.unpackArchive()
      let help = try desk.run("/bin/sh", ["\(archive)/install.sh", "--help"])
      #expect(help.status == 0 && help.stdout.contains("usage:") && help.errors.isEmpty)
      let wrong = try desk.run("/bin/sh", ["\(archive)/install.sh", "--nonsense"])
      #expect(wrong.status == 64 && wrong.output.isEmpty)
    }
  }

  @Test func `asks at a terminal before it installs for everybody`() throws {
    try Desk.with(.withoutBus) { desk in
      let (archive, _) = try desk.unpackArchive()
      try desk.withTerminal("/bin/sh", ["\(archive)/install.sh"]) { terminal in
        try terminal.expect("Install into /usr/local, for every user of this machine? [y/N] ")
        terminal.type("n")
        try terminal.expect("./install.sh --user")
        #expect(terminal.end() == .status(1))
      }
    }
  }

  @Test func `takes away what it brought, and no directory that was there`() throws {
    try Desk.with { desk in
      let (archive, prefix) = try desk.unpackArchive()
      try FileManager.default.createDirectory(
        atPath: "\(prefix)/share/man", withIntermediateDirectories: true)
      let before = files(prefix)
      for _ in 1...2 {
        let installed = try desk.run(
          "/bin/sh", ["\(archive)/install.sh", "--prefix", prefix],
          environment: ["XDG_RUNTIME_DIR": "\(desk.directory)/run"])
        #expect(installed.status == 0, "\(installed.stderr)")
        #expect(installed.stdout.contains("XDG_RUNTIME_DIR=\(desk.directory)/run "))
        #expect(installed.stdout.hasSuffix("coder-cred login URL\n"))
      }
      let script = "\(prefix)/libexec/coder-cred/install.sh"
      let removed = try desk.run("/bin/sh", [script, "--uninstall"])
      #expect(removed.status == 0, "\(removed.stderr)")
      // Nobody is signed in: nothing is said of a keyring.
      #expect(removed.stdout == "Removed from \(prefix).\n")
      #expect(files(prefix) == before)
    }
  }

  @Test func `brings units, links and a line for cron that name the program where it is`() throws {
    try Desk.with { desk in
      let (archive, prefix) = try desk.unpackArchive()
      let installed = try desk.run("/bin/sh", ["\(archive)/install.sh", "--prefix", prefix])
      #expect(installed.status == 0, "\(installed.stderr)")
      let program = "\(prefix)/bin/coder-cred"
      for (file, line) in [
        ("systemd/user/coder-cred-refresh.service", "ExecStart=\(program) refresh --due"),
        ("applications/coder-cred.desktop", "Exec=\(program) callback %u"),
      ] {
        let text = try String(contentsOfFile: "\(prefix)/share/\(file)", encoding: .utf8)
        #expect(text.split(separator: "\n").contains(Substring(line)), "\(text)")
        #expect(!text.contains("/usr/bin/coder-cred"))
      }
      // cron gives little else of the environment than this.
      let cron = try #require(
        installed.stdout.split(separator: "\n").first { $0.contains("* * *") })
      let command = try #require(cron.split(separator: " ").firstIndex { $0.hasPrefix("XDG_") })
      let words = cron.split(separator: " ")[command...].joined(separator: " ")
      let run = try desk.runAsCron(words)
      #expect(run.status == 0, "\(run.stderr)")
    }
  }

  @Test func `says before it goes what would go on asking, and what stays in the keyring`() throws {
    try Desk.withSession { desk in
      let (archive, prefix) = try desk.unpackArchive()
      let installed = try desk.run(
        "/bin/sh", ["\(archive)/install.sh", "--prefix", prefix])
      #expect(installed.status == 0, "\(installed.stderr)")
      #expect(
        try desk.run(["configure", "git"], environment: desk.path("\(prefix)/bin")).status == 0)
      #expect(
        try desk.run(["configure", "docker"], environment: desk.path("\(prefix)/bin")).status == 0)
      let script = "\(prefix)/libexec/coder-cred/install.sh"
      try desk.withTerminal("/bin/sh", [script, "--uninstall"]) { terminal in
        try terminal.expect("coder-cred configure docker --unset")
        try terminal.expect("coder-cred configure git --unset")
        try terminal.expect("coder-cred logout --all")
        try terminal.expect("Remove coder-cred all the same? [y/N] ")
        terminal.type("n")
        try terminal.expect("nothing is removed")
        #expect(terminal.end() == .status(1))
      }
      #expect(FileManager.default.fileExists(atPath: script))
      #expect(try desk.run("/bin/sh", [script, "--uninstall"]).status == 0)
      #expect(files(prefix).isEmpty)
    }
  }
}

extension Desk {
  /// An unpacked archive with a few files of each kind, and the directory it is installed into.
  func unpackArchive() throws -> (archive: String, prefix: String) {
    let archive = "\(directory)/archive"
    for (source, file) in [
      ("install.sh", "install.sh"),
      ("systemd/coder-cred-refresh.service", "share/systemd/user/coder-cred-refresh.service"),
      ("share/applications/coder-cred.desktop", "share/applications/coder-cred.desktop"),
    ] {
      let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../packaging/\(source)").standardized
      try write(try String(contentsOf: path, encoding: .utf8), to: "\(archive)/\(file)")
    }
    for file in [
      "libexec/coder-cred/coder-cred-engine", "share/man/man1/coder-cred.1",
      "share/systemd/user/coder-cred-refresh.timer",
      "share/bash-completion/completions/coder-cred",
    ] {
      try write("", to: "\(archive)/\(file)")
    }
    try FileManager.default.createDirectory(
      atPath: "\(archive)/bin", withIntermediateDirectories: true)
    for name in Self.names {
      try FileManager.default.createSymbolicLink(
        atPath: "\(archive)/bin/\(name)", withDestinationPath: program)
    }
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: "\(archive)/install.sh")
    return (archive, "\(directory)/prefix")
  }
}
