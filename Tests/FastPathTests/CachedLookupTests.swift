import Credentials
import Foundation
import TestDesk
import Testing

@Suite struct `The door` {
  static let poison = "echo poisoned; exit 99"
  static let url = "https://fresh.example"

  @Test(arguments: [
    ["get"], ["get", url], ["token", url], ["header", url, "--format=lines"],
    ["--account=alice", "get", "--min-ttl", "100"], ["token"],
  ])
  func `answers what is fresh by itself`(arguments: [String]) throws {
    let stage = try Stage()
    try stage.keep(Self.url) { _ in }
    let door = try stage.copyDoor(engine: Self.poison)
    let request = Stage.Request(arguments: arguments, input: "url=\(Self.url)\n\n")
    let answer = try stage.ask(door, request)
    #expect(answer.stdout.contains(Stage.token) && answer.status == 0 && answer.errors.isEmpty)
    #expect(try stage.ask(stage.engine, request).output == answer.output)
  }

  @Test func `answers by itself for a person with plain settings`() throws {
    let stage = try Stage()
    try stage.keep(Self.url) { $0.expiresAt = Int64(time(nil)) + 600 }
    let door = try stage.copyDoor(engine: Self.poison)
    try stage.configure(
      "# mine\n[coder-cred]\nrefresh-margin=300\ndefault-deployment=\(Self.url)\n")
    #expect(try stage.ask(door, .words("header")).stdout.contains(Stage.token))
    try stage.configure("[coder-cred]\nrefresh-margin=900\n")
    #expect(try stage.ask(door, .words("header", Self.url)).stdout == "poisoned\n")
  }

  @Test(arguments: [
    ["get", url, "--later-flag"], ["list"], ["get", "https://other.example"], [],
    ["get", url, "--min-ttl", "9999999"],
  ])
  func `leaves everything else to the engine beside it`(arguments: [String]) throws {
    let stage = try Stage()
    try stage.keep(Self.url) { _ in }
    let door = try stage.copyDoor(engine: "printf '%s|' \"$@\"; exit 99")
    let answer = try stage.ask(door, Stage.Request(arguments: arguments))
    #expect(answer.status == 99)
    #expect(answer.stdout == arguments.map { "\($0)|" }.joined() || arguments.isEmpty)
  }

  @Test(arguments: ["CODER_CRED_ENGINE", "CODER_CRED_TRACE"])
  func `steps aside when told to`(variable: String) throws {
    let stage = try Stage()
    try stage.keep(Self.url) { _ in }
    let door = try stage.copyDoor(engine: Self.poison)
    #expect(try stage.ask(door, .words("get", Self.url, with: [variable: "1"])).status == 99)
  }

  @Test func `finds the engine in libexec`() throws {
    let stage = try Stage(.withoutBus)
    let door = try stage.copyDoor(engine: nil)
    let libexec = "\(stage.session.directory)/libexec/coder-cred"
    try FileManager.default.createDirectory(atPath: libexec, withIntermediateDirectories: true)
    try stage.script(Self.poison, at: "\(libexec)/coder-cred-engine")
    #expect(try stage.ask(door, .words("list")).stdout == "poisoned\n")
    // A link to the door is not the door's place.
    let link = "\(stage.session.directory)/home/coder-cred"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: door)
    #expect(try stage.ask(link, .words("list")).stdout == "poisoned\n")
  }

  @Test func `takes no engine from PATH or from the directory it is called in`() throws {
    let stage = try Stage(.withoutBus)
    let door = try stage.copyDoor(engine: nil)
    let trap = "\(stage.session.directory)/trap"
    for place in [trap, "\(trap)/libexec/coder-cred", "\(trap)/../libexec"] {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      try stage.script(Self.poison, at: "\(place)/coder-cred-engine")
    }
    let answer = try stage.session.run(
      door, ["list"], environment: ["PATH": trap], directory: trap)
    #expect(answer.status == 70 && answer.output.isEmpty)
    #expect(
      answer.stderr
        == "coder-cred: error: coder-cred-engine cannot be started: No such file or directory\n")
  }

  @Test func `is refused by an engine of another version`() throws {
    let stage = try Stage(.withoutBus)
    let answer = try stage.ask(
      stage.engine, .words("capability", with: [Version.variable: "0.0.1"]))
    #expect(answer.status == 70 && answer.output.isEmpty)
    #expect(answer.stderr.contains("coder-cred 0.0.1 has started coder-cred-engine"))
    #expect(
      try stage.ask(stage.door, .words("capability", with: [Version.variable: "0.0.1"])).status == 0
    )
  }

  @Test(arguments: [0, 1, 65_536, 1_000_000, 3_000_000])
  func `hands on what it read, and what it did not`(size: Int) throws {
    let stage = try Stage(.withoutBus)
    let door = try stage.copyDoor(engine: "cat")
    let line = "x=\(String(repeating: "y", count: 997))\n"
    let input = String(String(repeating: line, count: size / 1000 + 1).prefix(size))
    let answer = try stage.ask(door, .words("get", input: input))
    // The request and no more is read: the rest of an endless one stays with who sent it.
    #expect(answer.output.elementsEqual(input.utf8.prefix(answer.output.count)))
    #expect(answer.output.count >= min(size, CredentialRequest.maximumBytes))
    // An operation that is not ours to answer is not read at all.
    #expect(try stage.ask(door, .words("store", input: input)).output.count == input.utf8.count)
  }

  @Test func `does not wait for a bus that never answers`() throws {
    let stage = try Stage(.withoutBus)
    let door = try stage.copyDoor(engine: Self.poison)
    let silent = """
      import socket, sys, time
      s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(5); time.sleep(60)
      """
    let bus = try stage.session.start(
      "/usr/bin/python3", ["-c", silent, "\(stage.session.directory)/bus"])
    defer { stage.session.end(bus) }
    while access("\(stage.session.directory)/bus", F_OK) != 0, bus.exit == nil { usleep(5000) }
    let start = ContinuousClock.now
    #expect(try stage.ask(door, .words("get", Self.url)).status == 99)
    #expect(start.duration(to: .now) < .seconds(5))
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
