import Foundation
import TestDesk
import Testing

/// What is in the memory of our programs, and what is not.
@Suite(.blocking, .enabled(if: geteuid() == 0, "only root may look into a process that forbids it"))
struct `Memory` {
  /// The full program, although the fast path would do.
  private static let full = ["CODER_CRED_ENGINE": "1"]
  private static let ofNetwork = [
    "libcurl", "libssl", "libcrypto", "libgnutls", "libnss3", "libmbedtls", "librustls",
  ]
  private static let ofKeyring = ["libsecret", "libglib", "libgio", "libgcrypt", "libdbus"]

  @Test func `of a cached answer holds neither libcurl nor a TLS library, whoever gives it`() throws
  {
    try Desk.withSession { desk in
      for arguments in [["get", desk.url], ["token", desk.url], ["header", desk.url]] {
        let fast = try desk.atOutput(of: desk.program, arguments) { $0.mappedFiles }
        expect(fast, without: Self.ofNetwork + Self.ofKeyring)
        let full = try desk.atOutput(of: desk.fullProgram, arguments) { $0.mappedFiles }
        expect(full, without: Self.ofNetwork)
        #expect(full.contains { $0.contains("/libgio-2") })
      }
    }
  }

  private func expect(_ files: Set<String>, without names: [String]) {
    #expect(!files.isEmpty)
    let loaded = files.filter { file in names.contains { file.contains("/\($0)") } }
    #expect(loaded.isEmpty)
  }

  @Test(arguments: [nil, "1"])
  func `never held them, from a call's first instruction to its last`(_ engine: String?) throws {
    try Desk.withSession { desk in
      let place = "protocol=https\nhost=git.example.com\nusername=bob\n"
      let kept = place + "password=\(desk.plant())\n\n"
      try desk.run(["store"], input: kept)
      let token = try desk.token()
      let calls = [
        ("get", desk.request()), ("get", place + "\n"), ("store", kept),
        ("store", desk.request("username=alice", "password=\(token)")),
        ("erase", place + "password=another\n\n"),
      ]
      for (verb, input) in calls {
        var opened = ""
        var isFull = false
        // Traced it is slow, and hands over after half a second: then once more.
        for _ in 1...5 {
          let log = "\(desk.directory)/opened-\(UUID())"
          let result = try desk.run(
            "strace", ["-f", "-e", "trace=open,openat,execve", "-o", log, desk.program, verb],
            input: input, environment: engine.map { ["CODER_CRED_ENGINE": $0] } ?? [:])
          #expect(result.status == 0, "\(verb): \(result.stderr)")
          opened = try String(contentsOfFile: log, encoding: .utf8)
          isFull = opened.contains("coder-cred-engine")
          if isFull == (engine != nil) { break }
        }
        #expect(isFull == (engine != nil), "\(verb)")
        let names = isFull ? Self.ofNetwork : Self.ofNetwork + Self.ofKeyring
        for name in names { #expect(!opened.contains("/\(name)"), "\(verb) loads \(name)") }
      }
    }
  }

  @Test func `leaves no core, whatever the shell allows`() throws {
    try Desk.withSession { desk in
      for program in [desk.program, desk.fullProgram] {
        let directory = "\(desk.directory)/core-\(UUID())"
        try FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true)
        let limit = try desk.atOutput(of: program, ["token", desk.url]) {
          $0.line("Max core file size", of: "limits")
        }
        let words = limit?.split(separator: " ").dropFirst(4).prefix(2) ?? []
        #expect(words.elementsEqual(["0", "0"]), "\(limit ?? "none")")
        let script = """
          ulimit -c unlimited; cd "$1" && mkfifo "$1.in" && exec 4<>"$1.in" || exit 9
          "$2" get <&4 4>&- & process=$!
          until grep -q "$2" "/proc/$process/maps" 2>/dev/null; do sleep 0.05; done
          until [ "$(tr -d '\\0' <"/proc/$process/cmdline")" = "$2get" ]; do sleep 0.05; done
          until grep -q '^Max core file size  *0 ' "/proc/$process/limits"; do sleep 0.05; done
          kill -SEGV "$process"; wait "$process"; echo "$?"; ls
          """
        let result = try desk.desktop.run("/bin/sh", ["-c", script, "sh", directory, program])
        #expect(result.stdout == "139\n", "\(result.stdout) \(result.stderr)")
      }
    }
  }

  @Test func `holds a token a few times when it is written, and no other process keeps it`() throws
  {
    try Desk.withSession { desk in
      let token = try desk.token()
      for program in [desk.program, desk.fullProgram] {
        let name = (program as NSString).lastPathComponent
        let copies = try desk.atOutput(of: program, ["token", desk.url]) {
          $0.count(of: token)
        }
        print("Memory: \(name) holds the token \(copies) times when it writes it")
        #expect(copies > 0)
        // As message, payload, part of it and output, and what these have outgrown.
        #expect(copies <= 12, "\(name) holds the token \(copies) times")
      }
      let holders = desk.processes.filter { $0.memory.count(of: desk.canary.word) > 0 }.map(\.name)
      print("Memory: afterwards secrets are in \(holders)")
      // The keyring's own, and the bus that carried it.
      #expect(Set(holders).isSubset(of: ["gnome-keyring-d", "dbus-daemon"]))
    }
  }
}
