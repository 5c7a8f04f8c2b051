import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A process that holds the lock and hangs` {
  /// Stops a process in the middle of its refresh, as a debugger or a frozen machine would.
  private func withHangingRefresh(_ desk: Desk, _ body: (Int32) throws -> Void) throws {
    desk.deployment.inject(.delay(milliseconds: 300_000), at: .refresh)
    let child = try desk.start(["token", desk.url], log: "/dev/null")
    #expect(desk.deployment.wait { !$0.tokenRequests().isEmpty })
    let process = try desk.refreshProcess(of: child)
    kill(process, SIGSTOP)
    try body(process)
    kill(process, SIGKILL)
    #expect(child.waitForExit() != nil)
  }

  @Test(.enabled(if: isFullRun, "takes a minute; CODER_CRED_FULL=1 runs it"))
  func `is named after a while, and a token that still lives is printed meanwhile`() throws {
    try Desk.withSession { desk in
      try desk.age(toSeconds: 45)
      try withHangingRefresh(desk) { process in
        let living = try desk.run(["token", desk.url], timeoutSeconds: 15)
        #expect(living.status == 0)
        #expect(living.stderr.contains("process \(process) "))
        // The deployment may have killed it already.
        #expect(living.stderr.contains("may stop working"))
      }
      try desk.forgetFailures()
      desk.deployment.clearFaults()
      try desk.expire()
      try withHangingRefresh(desk) { process in
        let dead = try desk.run(["token", desk.url], timeoutSeconds: 40)
        #expect(dead.status == 75)
        #expect(dead.stderr.contains("process \(process) "))
        #expect(dead.stderr.contains("kill -9 \(process)"))
      }
      // The holder is dead: nothing is stuck.
      try desk.token()
    }
  }
}

@Suite(.blocking) struct `The runtime directory` {
  @Test func `may be missing, foreign or read-only`() throws {
    try Desk.withSession { desk in
      let variants = [
        ["XDG_RUNTIME_DIR": ""], ["XDG_RUNTIME_DIR": "/nowhere"],
        ["XDG_RUNTIME_DIR": "\(desk.directory)/bus"], ["XDG_RUNTIME_DIR": "/proc"],
      ]
      for environment in variants {
        try desk.age()
        let result = try desk.run(["token", desk.url], environment: environment)
        #expect(result.status == 0, "\(environment): \(result.stderr)")
        #expect(desk.deployment.refreshes.count == 1)
      }
    }
  }
}
