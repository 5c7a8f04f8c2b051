import Foundation
import TestDesk
import Testing

/// git's own tests of credential helpers, from the tree of `packaging/git-from-source`.
@Suite(.blocking) struct `git's own tests` {
  @Test(.enabled(if: Caller.built != nil, "CODER_CRED_GIT_BUILD names no tree"))
  func `of external helpers pass`() throws {
    try Desk.with { desk in
      // By name, as people configure it: git looks for git-credential-coder-cred.
      let programs = "\(desk.directory)/programs"
      let linked = try desk.desktop.run(
        "/bin/sh",
        [
          "-c", "mkdir \"$1\" && ln -s \"$0\" \"$1/git-credential-coder-cred\"", desk.program,
          programs,
        ])
      try #require(linked.status == 0, "\(linked.stderr)")
      let tree = try #require(Caller.built)
      let result = try desk.desktop.run(
        "/bin/sh", ["./t0303-credential-external.sh", "--root=\(desk.directory)/trash"],
        environment: [
          "GIT_TEST_CREDENTIAL_HELPER": "coder-cred",
          "TEST_OUTPUT_DIRECTORY": desk.directory,
          "PATH": "\(programs):\(desk.desktop.environment["PATH"] ?? "")",
        ], directory: "\(tree)/t", timeoutSeconds: 120)
      #expect(result.status == 0 && !result.timedOut, "\(result.stdout)\(result.stderr)")
      #expect(result.lines.filter { $0.hasPrefix("ok ") }.count >= 21, "\(result.stdout)")
      #expect(!result.stdout.contains("# SKIP") && !result.stdout.contains("not ok"))
    }
  }
}
