import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// A deployment without encryption on this machine, whose port another user has taken.
@Suite(.blocking, .enabled(if: OtherUser.isAvailable, OtherUser.reason))
struct `A port of a loopback deployment that another user has taken` {
  @Test(arguments: [
    ["refresh", "--due"], ["refresh"], ["token", "--min-ttl", "31536000"],
    ["api", "/api/v2/users/me"], ["status", "--check"], ["logout"], ["login", "--method", "token"],
  ])
  func `is given no secret`(words: [String]) throws {
    try Desk.withSession { desk in
      let isDue = words.contains("--due")
      if isDue { try desk.expire() }
      desk.deployment.stop()
      let server = try desk.serveAsAnotherUser(port: desk.deployment.port)
      let arguments = words + (words[0] == "login" ? [desk.url] : [])
      let result = try desk.run(arguments, input: words[0] == "login" ? "\(desk.plant())\n" : "")
      #expect(result.status == 77 || result.status == 75 || result.status == 0, "\(result.stderr)")
      #expect(
        result.stderr.contains("another user") || result.stderr.contains("user"), "\(result.stderr)"
      )
      #expect(!server.logText.contains("received b'P"), "a request arrived")
      #expect(!desk.canary.isIn(server.logText))
    }
  }
}
