import Foundation
import SecretService
import TestDesk
import Testing

@Suite struct `The private session itself` {
  private let plain = ["PATH": "/usr/bin:/bin"]

  @Test func `A program gets its input whole and gives its output whole, both at once`() throws {
    let input = [UInt8](repeating: 7, count: 3_000_000)
    let result = try ChildProcess.run("cat", environment: plain, input: input)
    #expect(result.output == input)
    #expect(result.status == 0 && result.signal == nil && !result.timedOut)
  }

  @Test func `A program that does not read its input is no reason to wait or to die`() throws {
    let result = try ChildProcess.run(
      "sh", ["-c", "echo out; echo err >&2; exit 3"], environment: plain,
      input: [UInt8](repeating: 0, count: 1_000_000))
    #expect(result.stdout == "out\n")
    #expect(result.stderr == "err\n")
    #expect(result.status == 3)
  }

  @Test func `A program that does not end is ended, with all it started`() throws {
    let taken = try seconds {
      let result = try ChildProcess.run(
        "sh", ["-c", "echo begun; sleep 60 & sleep 60"], environment: plain, timeout: 0.3)
      #expect(result.timedOut)
      #expect(result.signal == SIGKILL)
      #expect(result.stdout == "begun\n")
    }
    #expect(taken < 10)
  }

  @Test func `What a program leaves running in the background does not keep us`() throws {
    let taken = try seconds {
      let result = try ChildProcess.run("sh", ["-c", "sleep 8 & echo $!"], environment: plain)
      #expect(result.status == 0)
      let left = try #require(Int32(result.stdout.dropLast()))
      kill(left, SIGKILL)
    }
    #expect(taken < 7)
  }

  @Test func `Children get three descriptors, every signal's default and our environment`() throws {
    let result = try ChildProcess.run(
      "sh", ["-c", "ls /proc/self/fd; grep SigIgn /proc/self/status; env"],
      environment: plain.merging(["ONLY": "this"]) { $1 })
    let lines = result.stdout.split(separator: "\n").map(String.init)
    #expect(lines.prefix(4) == ["0", "1", "2", "3"])  // 3 is ls's own view of the directory
    // glibc keeps its own two, 32 and 33, ignored in every child of posix_spawn.
    #expect(lines[4].hasSuffix("0000000180000000") || lines[4].hasSuffix("0000000000000000"))
    #expect(Set(lines[5...]) == ["PATH=/usr/bin:/bin", "ONLY=this", "PWD=" + currentDirectory])
  }

  private var currentDirectory: String { FileManager.default.currentDirectoryPath }

  @Test func `A signal is a signal, and a missing program an error`() throws {
    let result = try ChildProcess.run("sh", ["-c", "kill -9 $$"], environment: plain)
    #expect(result.signal == SIGKILL && result.status == 137)
    #expect(throws: ChildProcess.CannotStart.self) {
      try ChildProcess.run("/nonexistent", environment: plain)
    }
  }

  @Test func `Nothing is left of a session that was torn down`() throws {
    let session = try PrivateSession(.unlocked)
    let keyring = try #require(session.keyring)
    let other = try session.start("sleep", ["60"])
    #expect(other.exit == nil)
    session.tearDown()
    session.tearDown()
    #expect(keyring.exit != nil)
    #expect(other.exit == .signal(SIGTERM))
    #expect(!FileManager.default.fileExists(atPath: session.directory))
  }

  @Test func `Nothing is left of a session whose process died`() async throws {
    let note: String = "/tmp/cc-note-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: note) }
    await #expect(processExitsWith: .signal(SIGKILL)) { [note = note as String] in
      let session = try PrivateSession(.unlocked)
      let keyring = try #require(session.keyring)
      try Data("\(keyring.pid) \(session.directory)".utf8).write(to: URL(fileURLWithPath: note))
      kill(getpid(), SIGKILL)
    }
    let words = try String(contentsOfFile: note, encoding: .utf8).split(separator: " ")
    let pid = try #require(words.first.flatMap { Int32($0) })
    let directory = String(try #require(words.last))
    let end = ContinuousClock.now.advanced(by: .seconds(10))
    while FileManager.default.fileExists(atPath: directory) || isRunning(pid) {
      try #require(ContinuousClock.now < end, "pid \(pid) or \(directory) is still there")
      usleep(10_000)
    }
  }

  /// A zombie that nobody reaps in a container counts as gone.
  private func isRunning(_ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
      return false
    }
    return !status.contains(") Z ")
  }

  @Test func `The environment is clean and the socket's path short`() throws {
    let session = try PrivateSession(.withoutBus)
    #expect(session.environment["DISPLAY"] == nil)
    #expect(session.environment["HOME"] == "\(session.directory)/home")
    #expect(session.directory.utf8.count + "/run/keyring/control".utf8.count < 107)
    let mode = try FileManager.default.attributesOfItem(atPath: session.directory)
    #expect(mode[.posixPermissions] as? Int == 0o700)
  }

  @Test func `A product lies beside the tests, and a missing one is named`() throws {
    let path = try Products.executable("coder-cred")
    #expect(FileManager.default.isExecutableFile(atPath: path))
    #expect(throws: Products.Missing.self) { try Products.executable("no such product") }
  }
}
