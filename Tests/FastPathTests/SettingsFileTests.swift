import Foundation
import TestDesk
import Testing

/// The settings say whom and what to trust.
@Suite struct `A settings file that is not to be trusted` {
  /// Makes a path something else than a plain file of our own, and what is said of it.
  static let cases: [(String, String)] = [
    ("mkfifo \"$0\"", "it is not a regular file"),
    ("mkdir \"$0\"", "it is not a regular file"),
    ("mkfifo \"$0.pipe\"; ln -s \"$0.pipe\" \"$0\"", "it is not a regular file"),
    ("ln -s /dev/zero \"$0\"", "it is not a regular file"),
    ("head -c 65537 /dev/zero | tr '\\0' '#' >\"$0\"", "it is larger than 64 KiB"),
    ("truncate -s 60M \"$0\"", "it is larger than 64 KiB"),
    ("echo '[coder-cred]' >\"$0\"; chmod 666 \"$0\"", "other users may write to it"),
    ("echo '[coder-cred]' >\"$0\"; chmod 602 \"$0\"", "other users may write to it"),
  ]
  /// The same, where another user is needed.
  static let foreign: [(String, String)] = [
    ("echo '[coder-cred]' >\"$0\"; chown 65534 \"$0\"", "it belongs to another user"),
    (
      "echo '[coder-cred]' >\"$0\"; chgrp 65534 \"$0\"; chmod 664 \"$0\"",
      "other users may write to it"
    ),
  ]

  @Test(arguments: cases + (getuid() == 0 ? foreign : []))
  func `is refused by both programs`(making: String, reason: String) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      let path = "\(desk.directory)/settings"
      #expect(try desk.desktop.run("/bin/sh", ["-c", making, path]).status == 0)
      for arguments in [
        ["token", "https://fresh.example"], ["header"],
      ] {
        let request = Invocation(arguments: arguments, environment: ["CODER_CRED_CONFIG": path])
        let result = try desk.call(desk.program, request)
        #expect(result.status == 64 && result.output.isEmpty, "\(result.stderr)")
        #expect(
          result.stderr == "coder-cred: error: the configuration \(path) is unusable: \(reason)\n")
        try desk.expectSameOutput([request])
      }
      let change = Invocation(
        arguments: ["use", "--force", "https://x.example"], environment: ["CODER_CRED_CONFIG": path]
      )
      #expect(try desk.call(desk.fullProgram, change).status == 64)
    }
  }

  @Test(arguments: [
    "echo '[coder-cred]' >\"$0\"; chmod 600 \"$0\"",
    "echo '[coder-cred]' >\"$0\"; chmod 664 \"$0\"",
    "echo '[coder-cred]' >\"$0.real\"; ln -s \"$0.real\" \"$0\"",
    "head -c 65536 /dev/zero | tr '\\0' '#' >\"$0\"",
    "true",
  ])
  func `is told from one that is`(making: String) throws {
    try Desk.with { desk in
      try desk.store("https://fresh.example")
      let path = "\(desk.directory)/settings"
      #expect(try desk.desktop.run("/bin/sh", ["-c", making, path]).status == 0)
      let fastPath = try desk.copyFastPath(fullProgram: "exit 99")
      let request = Invocation(arguments: ["token"], environment: ["CODER_CRED_CONFIG": path])
      for program in [fastPath, desk.fullProgram] {
        #expect(try desk.callAlone(program, request).stdout == "\(storedToken)\n")
      }
    }
  }
}
