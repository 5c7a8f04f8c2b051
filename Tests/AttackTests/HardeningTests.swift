import Foundation
import TestDesk
import Testing

/// A program that holds secrets in its memory.
@Suite(.blocking, .enabled(if: OtherUser.isAvailable, OtherUser.reason))
struct `A running program` {
  @Test(arguments: ["coder-cred", "coder-cred-engine"])
  func `is not looked into by other programs of its user, and leaves no core`(
    name: String
  ) throws {
    try Desk.with(.withoutBus) { desk in
      // As a user without privileges, to whom the kernel's rules apply.
      let directory = "\(desk.directory)/programs"
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
      try desk.desktop.admitOtherUser(to: directory)
      let program = "\(directory)/\(name)"
      // Without a bus the fast path hands over to the full program beside it.
      for product in [desk.program, desk.fullProgram] {
        let copy = "\(directory)/\((product as NSString).lastPathComponent)"
        // Copied by a child: a program that this process holds open to write cannot be run.
        try #require(desk.desktop.run("cp", [product, copy]).status == 0)
      }
      let script = """
        trap 'trap "" TERM; kill 0' EXIT
        sleep 40 | "$0" get &
        # While the program is loaded it cannot be read either, and then for a moment it can.
        refusals=0
        while [ "$refusals" -lt 20 ] && kill -0 "$!"; do
          refusals=$((refusals + 1))
          cat "/proc/$!/environ" >/dev/null 2>&1 && refusals=0
          sleep 0.05
        done
        kill -0 "$!" || exit 3
        cat "/proc/$!/maps" >/dev/null 2>&1 && exit 5
        prlimit --core --raw --noheadings --output SOFT,HARD --pid "$!"
        exit 0
        """
      let result = try desk.desktop.runAsOtherUser("/bin/sh", ["-c", script, program])
      #expect(result.status == 0, "\(result.stderr)")
      let limits = result.stdout.split(whereSeparator: \.isWhitespace)
      // The kernel may not tell even that.
      #expect(limits.allSatisfy { $0 == "0" })
    }
  }
}
