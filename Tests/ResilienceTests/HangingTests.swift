import DeploymentSimulator
import Foundation
import TestDesk
import Testing

extension ResilienceTests {
  @Suite struct HangingTests {
    /// Stops a get in the middle of its refresh, as a debugger or a frozen machine would.
    private func withHangingGet(_ life: Life, _ body: (ChildProcess) throws -> Void) throws {
      life.deployment.inject(.delay(milliseconds: 300_000), at: .refresh)
      let child = try life.session.start(life.program, ["token", life.url])
      #expect(life.deployment.wait { !$0.tokenRequests().isEmpty })
      child.terminate(signal: SIGSTOP)
      try body(child)
      child.terminate(signal: SIGKILL)
      #expect(child.waitForExit(timeoutSeconds: 10) == .signal(SIGKILL))
    }

    @Test(.enabled(if: isFull))
    func `A holder that hangs is named after a while, and a living token answered before`() throws {
      try Life.with { life in
        try life.age(to: 45)
        try withHangingGet(life) { child in
          let took = try seconds {
            let living = try life.run("token", life.url)
            #expect(living.status == 0)
            #expect(living.stderr.contains("process \(child.pid) "))
          }
          #expect(took < 15)
        }
        try life.forgetFailures()
        life.deployment.clearFaults()
        try life.expire()
        try withHangingGet(life) { child in
          let took = try seconds {
            let dead = try life.run("token", life.url)
            #expect(dead.status == 75)
            #expect(dead.stderr.contains("process \(child.pid) "))
            #expect(dead.stderr.contains("kill -9 \(child.pid)"))
          }
          #expect(took < 40)
        }
        // The holder is dead: nothing is stuck.
        try life.expectToken()
      }
    }

    @Test func `The runtime directory may be missing, foreign or read-only`() throws {
      try Life.with { life in
        let variants = [
          ["XDG_RUNTIME_DIR": ""], ["XDG_RUNTIME_DIR": "/nowhere"],
          ["XDG_RUNTIME_DIR": "\(life.session.directory)/bus"], ["XDG_RUNTIME_DIR": "/proc"],
        ]
        for environment in variants {
          try life.age()
          let result = try life.run("token", life.url, environment: environment)
          #expect(result.status == 0, "\(environment): \(result.stderr)")
          #expect(life.refreshes.count == 1)
        }
      }
    }
  }
}
