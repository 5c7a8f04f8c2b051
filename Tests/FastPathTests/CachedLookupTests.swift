import Credentials
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `The fast path` {
  static let poison = "echo poisoned; exit 99"
  static let url = "https://fresh.example"

  @Test(arguments: [
    ["get"], ["get", url], ["token", url], ["header", url, "--format=lines"],
    ["--account=alice", "get", "--min-ttl", "100"], ["token"],
  ])
  func `prints what is fresh by itself`(arguments: [String]) throws {
    try Desk.with { desk in
      try desk.store(Self.url)
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let request = Invocation(arguments: arguments, input: "url=\(Self.url)\n\n")
      let result = try desk.callAlone(fastPath, request)
      #expect(result.stdout.contains(storedToken) && result.status == 0 && result.errors.isEmpty)
      #expect(try desk.call(desk.fullProgram, request).output == result.output)
    }
  }

  @Test func `prints by itself with plain settings`() throws {
    try Desk.with { desk in
      try desk.store(Self.url) { $0.expiresAt = Int64(time(nil)) + 600 }
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      try desk.write(
        "# mine\n[coder-cred]\nrefresh-margin=300\ndefault-deployment=\(Self.url)\n",
        to: desk.configuration)
      #expect(try desk.callAlone(fastPath, .words("header")).stdout.contains(storedToken))
      try desk.configure("refresh-margin=900")
      #expect(try desk.call(fastPath, .words("header", Self.url)).stdout == "poisoned\n")
    }
  }

  @Test func `prints the active account's, and that of an account asked for, by itself`() throws {
    try Desk.with { desk in
      for account in ["alice", "bob"] { try desk.store(Self.url, account: account) }
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      #expect(try desk.call(fastPath, .words("get", Self.url)).status == 99)
      try desk.write("[\(Self.url)]\naccount=bob\n", to: desk.configuration)
      #expect(try desk.callAlone(fastPath, .words("get", Self.url))["username"] == "bob")
      let alice = Invocation.words("get", Self.url, "--account", "alice")
      #expect(try desk.callAlone(fastPath, alice)["username"] == "alice")
    }
  }

  @Test(arguments: [
    ["get", url, "--later-flag"], ["list"], ["get", "https://other.example"], [],
    ["get", url, "--min-ttl", "9999999"],
  ])
  func `leaves everything else to the full program beside it`(arguments: [String]) throws {
    try Desk.with { desk in
      try desk.store(Self.url)
      let fastPath = try desk.copyFastPath(fullProgram: "printf '%s|' \"$@\"; exit 99")
      let result = try desk.call(fastPath, Invocation(arguments: arguments))
      #expect(result.status == 99)
      #expect(result.stdout == arguments.map { "\($0)|" }.joined() || arguments.isEmpty)
    }
  }

  @Test(arguments: ["CODER_CRED_ENGINE", "CODER_CRED_TRACE"])
  func `hands over when it is told to`(variable: String) throws {
    try Desk.with { desk in
      try desk.store(Self.url)
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      #expect(try desk.call(fastPath, .words("get", Self.url, with: [variable: "1"])).status == 99)
    }
  }

  @Test func `finds the full program in libexec`() throws {
    try Desk.with(.withoutBus) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: nil)
      let libexec = "\(desk.directory)/libexec/coder-cred"
      try FileManager.default.createDirectory(atPath: libexec, withIntermediateDirectories: true)
      try desk.script(Self.poison, at: "\(libexec)/coder-cred-engine")
      #expect(try desk.call(fastPath, .words("list")).stdout == "poisoned\n")
      // A link to the fast path is not where it is installed.
      let link = "\(desk.directory)/home/coder-cred"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: fastPath)
      #expect(try desk.call(link, .words("list")).stdout == "poisoned\n")
    }
  }

  @Test func `takes no full program from PATH or from the working directory`() throws {
    try Desk.with(.withoutBus) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: nil)
      let trap = "\(desk.directory)/trap"
      for place in [trap, "\(trap)/libexec/coder-cred", "\(trap)/../libexec"] {
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try desk.script(Self.poison, at: "\(place)/coder-cred-engine")
      }
      let result = try desk.desktop.run(
        fastPath, ["list"], environment: ["PATH": trap], directory: trap)
      #expect(result.status == 70 && result.output.isEmpty)
      #expect(
        result.stderr
          == "coder-cred: error: coder-cred-engine cannot be started: No such file or directory\n")
    }
  }

  @Test func `is refused by a full program of another version`() throws {
    try Desk.with(.withoutBus) { desk in
      let result = try desk.call(
        desk.fullProgram, .words("capability", with: [Version.variable: "0.0.1"]))
      #expect(result.status == 70 && result.output.isEmpty)
      #expect(result.stderr.contains("coder-cred 0.0.1 has started coder-cred-engine"))
      #expect(
        try desk.call(desk.program, .words("capability", with: [Version.variable: "0.0.1"])).status
          == 0
      )
    }
  }

  @Test(arguments: [0, 1, 65_536, 1_000_000, 3_000_000])
  func `hands on what it read, and what it did not`(size: Int) throws {
    try Desk.with(.withoutBus) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: "cat")
      let line = "x=\(String(repeating: "y", count: 997))\n"
      let input = String(String(repeating: line, count: size / 1000 + 1).prefix(size))
      let result = try desk.call(fastPath, .words("get", input: input))
      // The request and no more is read: the rest of an endless one stays with who sent it.
      #expect(result.output.elementsEqual(input.utf8.prefix(result.output.count)))
      #expect(result.output.count >= min(size, CredentialRequest.maximumBytes))
      // Of an operation that the fast path does not do nothing is read.
      #expect(
        try desk.call(fastPath, .words("import", input: input)).output.count == input.utf8.count)
    }
  }

  @Test func `does not wait for a bus that never replies`() throws {
    try Desk.with(.withoutBus) { desk in
      let fastPath = try desk.copyFastPath(fullProgram: Self.poison)
      let silent = """
        import socket, sys, time
        s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(5); time.sleep(60)
        """
      _ = try desk.desktop.start("/usr/bin/python3", ["-c", silent, "\(desk.directory)/bus"])
      waitFor("the bus") { access("\(desk.directory)/bus", F_OK) == 0 }
      #expect(try desk.call(fastPath, .words("get", Self.url)).status == 99)
    }
  }

  @Test func `is small`() throws {
    let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/coder-cred").standardized.path
    let files = try FileManager.default.contentsOfDirectory(atPath: sources)
    let lines = try files.reduce(0) { sum, file in
      try sum
        + String(contentsOfFile: "\(sources)/\(file)", encoding: .utf8).utf8.count { $0 == 10 }
    }
    #expect(files.count > 1 && lines < 400)
  }
}
