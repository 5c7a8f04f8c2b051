import Foundation
import TestDesk
import Testing

/// `install.sh` of the archive, with the programs as built.
@Suite(.blocking) struct `install.sh` {
  /// An unpacked archive with a few files of each kind, and the directory it is installed into.
  private func unpack(_ desk: Desk) throws -> (archive: String, prefix: String) {
    let archive = "\(desk.directory)/archive"
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../packaging/install.sh").standardized
    try desk.write(try String(contentsOf: source, encoding: .utf8), to: "\(archive)/install.sh")
    for file in [
      "libexec/coder-cred/coder-cred-engine", "share/man/man1/coder-cred.1",
      "share/systemd/user/coder-cred-refresh.timer",
      "share/bash-completion/completions/coder-cred",
    ] {
      try desk.write("", to: "\(archive)/\(file)")
    }
    try FileManager.default.createDirectory(
      atPath: "\(archive)/bin", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(archive)/bin/coder-cred", withDestinationPath: desk.program)
    return (archive, "\(desk.directory)/prefix")
  }

  private func files(_ directory: String) -> [String] {
    FileManager.default.subpaths(atPath: directory)?.sorted() ?? []
  }

  @Test func `explains itself on standard output`() throws {
    try Desk.with(.withoutBus) { desk in
      let (archive, _) = try unpack(desk)
      let help = try desk.run("/bin/sh", ["\(archive)/install.sh", "--help"])
      #expect(help.status == 0 && help.stdout.contains("usage:") && help.errors.isEmpty)
      let wrong = try desk.run("/bin/sh", ["\(archive)/install.sh", "--nonsense"])
      #expect(wrong.status == 64 && wrong.output.isEmpty)
    }
  }

  @Test func `asks at a terminal before it installs for everybody`() throws {
    try Desk.with(.withoutBus) { desk in
      let (archive, _) = try unpack(desk)
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
      let (archive, prefix) = try unpack(desk)
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

  @Test func `says before it goes what would go on asking, and what stays in the keyring`() throws {
    try Desk.withSession { desk in
      let (archive, prefix) = try unpack(desk)
      let installed = try desk.run(
        "/bin/sh", ["\(archive)/install.sh", "--prefix", prefix])
      #expect(installed.status == 0, "\(installed.stderr)")
      #expect(
        try desk.run(["configure", "git"], environment: desk.path("\(prefix)/bin")).status == 0)
      let script = "\(prefix)/libexec/coder-cred/install.sh"
      try desk.withTerminal("/bin/sh", [script, "--uninstall"]) { terminal in
        try terminal.expect("coder-cred configure git --unset")
        try terminal.expect("coder-cred logout --all")
        try terminal.expect("Remove coder-cred all the same? [y/N] ")
        terminal.type("n")
        #expect(terminal.end() == .status(1))
      }
      #expect(FileManager.default.fileExists(atPath: script))
      #expect(try desk.run("/bin/sh", [script, "--uninstall"]).status == 0)
      #expect(files(prefix).isEmpty)
    }
  }
}
