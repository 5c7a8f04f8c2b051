import DeploymentSimulator
import Foundation
import Synchronization
import TestDesk
import Testing

/// Whether secrets stay where they belong.
@Suite(.blocking) struct `Secrets` {
  @Test func `No command line and no environment ever holds one, while everything is done`() throws
  {
    try Desk.with(traces: true) { desk in
      let watch = ProcessWatch(desk.canary, program: desk.program)
      watch.start()
      defer { watch.stop() }
      try desk.login()
      for _ in 0..<3 {
        _ = try desk.token("--min-ttl", "31536000")
        // The refresh waits until it has been looked at often enough.
        desk.deployment.inject(.hold, at: .refresh)
        let refresh = try desk.start(["refresh", desk.url], log: "/dev/null")
        #expect(desk.deployment.wait { $0.last?.fault == "hold" && $0.last?.status == nil })
        let seen = watch.sightings
        waitFor("looks at the running program") { watch.sightings > seen + 20 }
        desk.deployment.releaseHeld()
        #expect(refresh.waitForExit() == .status(0))
        let place = "protocol=https\nhost=git.example.com\nusername=a\npassword=\(desk.plant())\n"
        for verb in ["store", "get", "erase"] {
          try desk.run([verb], input: place)
        }
      }
      watch.stop()
      #expect(watch.sightings > 60)
      #expect(watch.leaks.isEmpty, "\(watch.leaks)")
    }
  }
}

/// The command lines and environments of all processes of this machine, over some time.
private final class ProcessWatch: Sendable {
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

  /// The command lines and environments with a secret.
  var leaks: Set<String> { seen.withLock { $0.leaks } }

  func start() {
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
      for file in ["cmdline", "environ"] {
        guard let content = FileManager.default.contents(atPath: "/proc/\(process)/\(file)") else {
          continue
        }
        if content.starts(with: program) { seen.withLock { $0.sightings += 1 } }
        if canary.isIn(content) {
          let text = String(decoding: content, as: UTF8.self)
          _ = seen.withLock { $0.leaks.insert(text) }
        }
      }
    }
  }
}
