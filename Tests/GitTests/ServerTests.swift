import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// Clients of git servers, against one in a workspace that wants a token.
@Suite(.blocking) struct `A git server that wants a token` {
  /// Makes a repository below the directory that the deployment serves.
  private func publish(_ desk: Desk, withObject isLFS: Bool = false) throws {
    let script = """
      set -e
      export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com
      export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
      git init -q -b main work
      cd work
      if [ "$1" = lfs ]; then git lfs install --local --skip-repo >/dev/null; git lfs track '*.bin' >/dev/null; fi
      echo hello > hello.txt
      echo large > large.bin
      git add . && git commit -q -m one
      git clone -q --bare . ../files/project.git
      if [ "$1" = lfs ]; then mkdir ../files/lfs; cp -r .git/lfs/objects ../files/lfs/; fi
      """
    let files = "\(desk.directory)/files"
    try FileManager.default.createDirectory(atPath: files, withIntermediateDirectories: true)
    let made = try desk.desktop.run(
      "/bin/sh", ["-c", script, "sh", isLFS ? "lfs" : ""], directory: desk.directory)
    try #require(made.status == 0, "\(made.stderr)")
    desk.deployment.change { $0.files = files }
  }

  private func clone(
    _ desk: Desk, with caller: Caller, of repository: String = "project.git",
    to directory: String = "clone", environment: [String: String] = [:]
  ) throws -> CommandResult {
    guard case .git(let path, _) = caller else { preconditionFailure() }
    return try desk.run(
      path,
      [
        "-c", "credential.helper=\(desk.program)", "clone", "-q", "\(desk.url)/files/\(repository)",
        "\(desk.directory)/\(directory)",
      ],
      environment: environment.merging(["GIT_TERMINAL_PROMPT": "0"]) { $1 })
  }

  private func content(_ desk: Desk, _ file: String) -> String? {
    try? String(contentsOfFile: "\(desk.directory)/\(file)", encoding: .utf8)
  }

  @Test(arguments: Caller.gits)
  func `is cloned from, in the form that this git can send`(git: Caller) throws {
    try Desk.withSession { desk in
      try publish(desk)
      desk.deployment.change { $0.filesScheme = git.knows([2, 46]) ? "Bearer" : "Basic" }
      let before = try desk.desktop.items()
      let cloned = try clone(desk, with: git)
      #expect(cloned.status == 0 && cloned.errors.isEmpty, "\(cloned.stderr)")
      #expect(content(desk, "clone/hello.txt") == "hello\n")
      // No network of ours, and nothing written: the session is fresh, and what git stores is known.
      #expect(desk.deployment.requests.allSatisfy { $0.path.hasPrefix("/files/") })
      #expect(try desk.desktop.items() == before)
    }
  }

  @Test(arguments: Caller.gits)
  func `gets a refreshed token when the old one is about to end`(git: Caller) throws {
    try Desk.withSession { desk in
      try publish(desk)
      desk.deployment.change { $0.filesScheme = git.knows([2, 46]) ? "Bearer" : "Basic" }
      try desk.age()
      let cloned = try clone(desk, with: git)
      #expect(cloned.status == 0 && cloned.errors.isEmpty, "\(cloned.stderr)")
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test(arguments: Caller.gits.filter { $0.knows([2, 46]) })
  func `that refuses a token gets a new one within the same command`(git: Caller) throws {
    try Desk.withSession { desk in
      try publish(desk)
      desk.deployment.revokeAccessTokens()
      let cloned = try clone(desk, with: git)
      #expect(cloned.status == 0 && cloned.errors.isEmpty, "\(cloned.stderr)")
      #expect(content(desk, "clone/hello.txt") == "hello\n")
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test(arguments: Caller.gits.filter { !$0.knows([2, 46]) })
  func `that refuses the token of an older git gets a new one from the next command`(
    git: Caller
  ) throws {
    try Desk.withSession { desk in
      try publish(desk)
      desk.deployment.change { $0.filesScheme = "Basic" }
      desk.deployment.revokeAccessTokens()
      let refused = try clone(desk, with: git)
      #expect(refused.status != 0 && !refused.stderr.contains("coder-cred"))
      #expect(desk.deployment.refreshes.isEmpty)
      let cloned = try clone(desk, with: git, to: "again")
      #expect(cloned.status == 0 && cloned.errors.isEmpty, "\(cloned.stderr)")
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test(arguments: Caller.gits)
  func `to which nobody is signed in any more is asked for no user name`(git: Caller) throws {
    try Desk.with { desk in
      try publish(desk)
      try desk.login(
        "--method", "token", input: desk.deployment.session(user: "alice") + "\n")
      try desk.desktop.change(desk.sessions()[0], ["expires_at": 1_700_000_000])
      let asked = "\(desk.directory)/asked"
      let askpass = try desk.script("touch '\(asked)'; echo x", at: "\(desk.directory)/askpass")
      let refused = try clone(
        desk, with: git, environment: ["GIT_ASKPASS": askpass, "GIT_TERMINAL_PROMPT": "1"])
      #expect(refused.status == 128 && refused.stderr.contains("told us to quit"))
      #expect(refused.message("hint") == "coder-cred login \(desk.url) --account alice")
      #expect(!FileManager.default.fileExists(atPath: asked))
      // Nobody but git is told so.
      let alone = try desk.run(["get"], input: desk.request())
      expectFailure(alone, 1)
    }
  }

  @Test(arguments: Caller.gits)
  func `whose keyring is locked for now leaves git its other ways`(git: Caller) throws {
    try Desk.withSession { desk in
      try publish(desk)
      desk.deployment.change { $0.filesScheme = "Basic" }
      try desk.desktop.lock()
      let asked = "\(desk.directory)/asked"
      let askpass = try desk.script("touch '\(asked)'; echo x", at: "\(desk.directory)/askpass")
      let refused = try clone(
        desk, with: git, environment: ["GIT_ASKPASS": askpass, "GIT_TERMINAL_PROMPT": "1"])
      #expect(refused.status == 128 && !refused.stderr.contains("told us to quit"))
      #expect(FileManager.default.fileExists(atPath: asked))
    }
  }

  @Test(arguments: Caller.gits)
  func `gives git six submodules at once, after one refresh for all`(git: Caller) throws {
    guard case .git(let path, _) = git else { preconditionFailure() }
    try Desk.withSession { desk in
      try publish(desk)
      let modules = """
        set -e
        git clone -q --bare files/project.git files/whole.git
        git clone -q files/whole.git modules && cd modules
        for name in a b c d e f; do
          cp -r ../files/project.git "../files/$name.git"
          git config -f .gitmodules "submodule.$name.path" "$name"
          git config -f .gitmodules "submodule.$name.url" "../$name.git"
          git update-index --add --cacheinfo "160000,$(git rev-parse HEAD),$name"
        done
        git add .gitmodules
        git -c user.name=a -c user.email=a@example.com commit -q -m modules && git push -q
        """
      let made = try desk.run("/bin/sh", ["-c", modules], directory: desk.directory)
      try #require(made.status == 0, "\(made.stderr)")
      desk.deployment.change { $0.filesScheme = git.knows([2, 46]) ? "Bearer" : "Basic" }
      let cloned = try clone(desk, with: git, of: "whole.git")
      #expect(cloned.status == 0, "\(cloned.stderr)")
      try desk.age()
      let updated = try desk.run(
        path,
        ["-c", "credential.helper=\(desk.program)", "submodule", "-q", "update"]
          + ["--init", "--jobs", "6"], environment: ["GIT_TERMINAL_PROMPT": "0"],
        directory: "\(desk.directory)/clone")
      #expect(updated.status == 0 && !updated.stderr.contains("coder-cred"), "\(updated.stderr)")
      for name in ["a", "b", "c", "d", "e", "f"] {
        #expect(content(desk, "clone/\(name)/hello.txt") == "hello\n")
      }
      #expect(desk.deployment.refreshes.count == 1)
    }
  }

  @Test func `gives git-lfs its objects`() throws {
    try Desk.withSession { desk in
      try publish(desk, withObject: true)
      let git = try #require(Caller.gits.first)
      desk.deployment.change { $0.filesScheme = git.knows([2, 46]) ? "Bearer" : "Basic" }
      let cloned = try clone(desk, with: git, environment: ["GIT_LFS_SKIP_SMUDGE": "1"])
      #expect(cloned.status == 0, "\(cloned.stderr)")
      #expect(content(desk, "clone/large.bin")?.hasPrefix("version https://git-lfs") ?? false)
      let pulled = try desk.run(
        "git", ["-c", "credential.helper=\(desk.program)", "lfs", "pull"],
        environment: ["GIT_TERMINAL_PROMPT": "0"], directory: "\(desk.directory)/clone")
      #expect(pulled.status == 0 && !pulled.stderr.contains("coder-cred"), "\(pulled.stderr)")
      #expect(content(desk, "clone/large.bin") == "large\n")
    }
  }
}
