import DeploymentSimulator
import Foundation
import Synchronization
import TestDesk
import Testing

/// Whether secrets stay where they belong, and whether the watch over them is awake.
@Suite struct `Secrets` {
  @Test func `Nobody's command line ever holds one, while everything is done`() throws {
    try Desk.with(traces: true) { desk in
      let lines = CommandLines(desk.canary, program: desk.program)
      lines.watch()
      defer { lines.stop() }
      try desk.signIn()
      for _ in 0..<3 {
        _ = try desk.token("--min-ttl", "31536000")
        // The refresh waits until it has been looked at often enough.
        desk.deployment.inject(.hold, at: .refresh)
        let answer = try desk.start(["refresh", desk.url], log: "/dev/null")
        #expect(desk.deployment.wait { $0.last?.fault == "hold" && $0.last?.status == nil })
        let seen = lines.sightings
        wait(for: "looks at the running program") { lines.sightings > seen + 20 }
        desk.deployment.releaseHeld()
        #expect(answer.waitForExit(timeoutSeconds: 10) == .status(0))
        let place = "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"
        for verb in ["store", "get", "erase"] {
          try desk.run([verb], input: place, mayAnswer: verb == "get")
        }
      }
      lines.stop()
      #expect(lines.sightings > 60)
      #expect(lines.leaks.isEmpty, "\(lines.leaks)")
    }
  }

  @Test func `The watch hears a secret as it is, in base64, and in any file`() throws {
    let canary = Canary()
    let directory = FileManager.default.temporaryDirectory.path + "/watch-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory + "/deep/kept", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    #expect(!canary.sings(in: Array("nothing of \(Canary().word)".utf8)))
    #expect(canary.files(below: directory, except: "\(directory)/deep/kept").isEmpty)
    for padding in ["", "1", "12", "123", "name:"] {
      let text = padding + canary.word + "rest"
      #expect(canary.sings(in: Array("\"\(text)\"".utf8)))
      #expect(canary.sings(in: Array(Data(text.utf8).base64EncodedString().utf8)))
    }
    for name in ["plain", "deep/file", "deep/kept/item"] {
      try Data("x\(canary.word)x".utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
    try Data().write(to: URL(fileURLWithPath: "\(directory)/name-\(canary.word)"))
    #expect(canary.files(below: directory, except: "\(directory)/deep/kept").count == 3)
  }
}

/// What all processes of this machine show of their command lines, over some time.
private final class CommandLines: Sendable {
  private struct Seen {
    var isWatching = false
    var sightings = 0
    var leaks: Set<String> = []
  }

  private let canary: Canary
  private let program: [UInt8]
  private let seen = Mutex(Seen())

  init(_ canary: Canary, program: String) {
    self.canary = canary
    self.program = Array(program.utf8) + [0]
  }

  /// How often the program was seen running.
  var sightings: Int { seen.withLock { $0.sightings } }

  /// The command lines with a secret.
  var leaks: Set<String> { seen.withLock { $0.leaks } }

  func watch() {
    seen.withLock { $0.isWatching = true }
    Thread.detachNewThread { [self] in
      while seen.withLock({ $0.isWatching }) {
        look()
        usleep(10_000)
      }
    }
  }

  func stop() { seen.withLock { $0.isWatching = false } }

  private func look() {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    for process in processes where process.allSatisfy(\.isNumber) {
      guard let file = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
        continue
      }
      let line = Array(file)
      if line.starts(with: program) { seen.withLock { $0.sightings += 1 } }
      if canary.sings(in: line) {
        let text = String(decoding: line, as: UTF8.self)
        _ = seen.withLock { $0.leaks.insert(text) }
      }
    }
  }
}
