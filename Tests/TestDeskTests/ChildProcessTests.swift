import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A child process` {
  private let plain = ["PATH": "/usr/bin:/bin"]

  @Test func `gets its input whole and its output is read whole, both at once`() throws {
    let input = [UInt8](repeating: 7, count: 3_000_000)
    let result = try ChildProcess.run("cat", environment: plain, input: input)
    #expect(result.output == input)
    #expect(result.status == 0 && result.signal == nil && !result.timedOut)
  }

  @Test func `that does not read its input neither blocks nor ends this process`() throws {
    let result = try ChildProcess.run(
      "sh", ["-c", "echo out; echo err >&2; exit 3"], environment: plain,
      input: [UInt8](repeating: 0, count: 1_000_000))
    #expect(result.stdout == "out\n")
    #expect(result.stderr == "err\n")
    #expect(result.status == 3)
  }

  @Test func `that does not end is ended, with all it started`() throws {
    let result = try ChildProcess.run(
      "sh", ["-c", "echo begun; sleep 60 & sleep 60"], environment: plain, timeoutSeconds: 10)
    #expect(result.timedOut)
    #expect(result.signal == SIGKILL)
    #expect(result.stdout == "begun\n")
  }

  @Test func `is not waited for longer because of what it leaves in the background`() throws {
    let result = try ChildProcess.run(
      "sh", ["-c", "sleep 60 & echo $!"], environment: plain, timeoutSeconds: 20)
    #expect(result.status == 0 && !result.timedOut)
    let left = try #require(Int32(result.stdout.dropLast()))
    kill(left, SIGKILL)
  }

  @Test func `gets three descriptors, every signal's default, and only the given environment`()
    throws
  {
    let result = try ChildProcess.run(
      "sh", ["-c", "ls /proc/self/fd; grep SigIgn /proc/self/status; env"],
      environment: plain.merging(["ONLY": "this"]) { $1 })
    let lines = result.lines
    #expect(lines.prefix(4) == ["0", "1", "2", "3"])  // 3 is ls's own view of the directory
    // glibc keeps its own two, 32 and 33, ignored in every child of posix_spawn.
    #expect(lines[4].hasSuffix("0000000180000000") || lines[4].hasSuffix("0000000000000000"))
    let directory = FileManager.default.currentDirectoryPath
    #expect(Set(lines[5...]) == ["PATH=/usr/bin:/bin", "ONLY=this", "PWD=" + directory])
  }

  @Test func `inherits the descriptors it is given as 3, 4, and no other`() throws {
    let directory = FileManager.default.temporaryDirectory.path + "/fd-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let files = try ["first", "second"].map { name in
      try Data(name.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
      return open("\(directory)/\(name)", O_RDONLY | O_CLOEXEC)
    }
    defer { for file in files { close(file) } }
    let log = "\(directory)/log"
    let child = try ChildProcess.start(
      "sh", ["-c", "cat <&4; echo; cat <&3; echo; ls /proc/self/fd"], environment: plain,
      log: log, inheriting: files)
    #expect(child.waitForExit() == .status(0))
    let text = try String(contentsOfFile: log, encoding: .utf8)
    // 5 is ls's own view of the directory.
    #expect(text == "second\nfirst\n0\n1\n2\n3\n4\n5\n")
  }

  @Test func `has no controlling terminal`() throws {
    let result = try ChildProcess.run("sh", ["-c", ": </dev/tty"], environment: plain)
    #expect(result.status != 0)
  }

  @Test func `that ends by a signal says so, and one that is missing is an error`() throws {
    let result = try ChildProcess.run("sh", ["-c", "kill -9 $$"], environment: plain)
    #expect(result.signal == SIGKILL && result.status == 137)
    #expect(throws: ChildProcess.CannotStart.self) {
      try ChildProcess.run("/nonexistent", environment: plain)
    }
  }

  @Test func `of this package lies beside the tests, and one that is missing is named`() throws {
    let path = try Products.executable("coder-cred")
    #expect(FileManager.default.isExecutableFile(atPath: path))
    #expect(throws: Products.Missing.self) { try Products.executable("no such product") }
  }
}
