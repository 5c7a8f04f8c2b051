import DeploymentSimulator
import Foundation
import TestDesk
import Testing

/// The settings say what is trusted: only a small file of the person's own may.
@Suite(.blocking) struct `A settings file` {
  @Test(arguments: [
    "mkfifo \"$0\"", "truncate -s 60M \"$0\"", "ln -s /dev/zero \"$0\"", "mkdir \"$0\"",
  ])
  func `that never ends or is no file ends no command late`(making: String) throws {
    try Desk.withSession { desk in
      let path = "\(desk.directory)/settings"
      #expect(try desk.desktop.run("/bin/sh", ["-c", making, path]).status == 0)
      for program in [[:], ["CODER_CRED_ENGINE": "1"]] {
        let environment = program.merging(["CODER_CRED_CONFIG": path]) { $1 }
        for arguments in [["token", desk.url], ["refresh", desk.url], ["login", desk.url]] {
          let result = try desk.run(arguments, environment: environment)
          #expect(result.status == 64 && result.output.isEmpty, "\(result.stderr)")
        }
      }
    }
  }

  @Test(
    .enabled(if: OtherUser.isAvailable, OtherUser.reason),
    arguments: [
      "chown 65534 \"$0\"", "chmod 666 \"$0\"", "chgrp 65534 \"$0\"; chmod 664 \"$0\"", "true",
    ])
  func `that another user can write is not obeyed`(making: String) throws {
    try Desk.withSession { desk in
      let elsewhere = try desk.anotherDeployment()
      defer { elsewhere.stop() }
      let path = "\(desk.directory)/settings"
      try desk.write("[coder-cred]\nallowed-origins=\(elsewhere.url)\n", to: path)
      #expect(try desk.desktop.run("/bin/sh", ["-c", making, path]).status == 0)
      let client = try desk.registration()
      try desk.desktop.change(client, "token_endpoint", to: "\(elsewhere.url)/oauth2/tokens")
      let result = try desk.run(
        ["refresh", desk.url], environment: ["CODER_CRED_CONFIG": path])
      // The person's own file does allow it.
      let isOwn = making == "true"
      #expect(isOwn != (result.status == 64), "\(result.stderr)")
      #expect(elsewhere.requests.isEmpty != isOwn)
    }
  }
}
