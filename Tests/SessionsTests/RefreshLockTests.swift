import Credentials
import Foundation
import Testing

@testable import coder_cred_engine

@Suite struct RefreshLockTests {
  /// A runtime directory of one's own, and what is in it.
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = NSTemporaryDirectory() + "lock-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory)
  }

  private func lock(_ directory: String, account: String = "alice") throws -> RefreshLock {
    try RefreshLock(
      of: Deployment(url: "https://dev.coder.com"), account: account,
      environment: Environment(["XDG_RUNTIME_DIR": directory, "HOME": "\(directory)/home"]))
  }

  private func failure(_ body: () throws -> Void) -> Failure? {
    do { try body() } catch { return error as? Failure }
    return nil
  }

  @Test func `Its directory is for its owner alone, and its name tells nothing`() throws {
    try withDirectory { directory in
      let lock = try lock(directory)
      try lock.hold {}
      var status = stat()
      #expect(stat("\(directory)/coder-cred", &status) == 0 && status.st_mode & 0o777 == 0o700)
      #expect(stat(lock.file.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
      #expect(!lock.file.path.contains("alice") && !lock.file.path.contains("dev.coder"))
      #expect(try lock.file.path != self.lock(directory, account: "bob").file.path)
    }
  }

  @Test func `A holder that hangs is named, and not waited for longer than said`() throws {
    try withDirectory { directory in
      let lock = try lock(directory)
      try lock.hold {
        // A second descriptor is as good as a second process: flock(2) asks for the open file.
        let start = ContinuousClock.now
        let failure = failure {
          try lock.hold(
            within: 200, orTake: { () throws(Failure) -> Void? in nil },
            { () throws(Failure) in Issue.record("held twice") })
        }
        #expect(start.duration(to: .now) < .seconds(5))
        #expect(failure?.exitStatus == 75)
        #expect(failure?.message.contains("process \(getpid()) ") ?? false)
      }
    }
  }

  @Test func `What is written in the file is only believed if it is a process`() throws {
    try withDirectory { directory in
      let lock = try lock(directory)
      let descriptor = open(lock.file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      defer { close(descriptor) }
      #expect(flock(descriptor, LOCK_EX) == 0)
      for text in ["", "-1\n", "0\n", "99999999999\n", "12", "\u{1b}[2J\n"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: lock.file.path), options: [])
        let failure = failure {
          try lock.hold(
            within: 1, orTake: { () throws(Failure) -> Void? in nil }, { () throws(Failure) in })
        }
        #expect(failure?.message.hasPrefix("another process ") ?? false, "\(text)")
      }
    }
  }

  @Test func `A holder that dies leaves nothing to wait for`() throws {
    try withDirectory { directory in
      let lock = try lock(directory)
      let descriptor = open(lock.file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(descriptor, LOCK_EX) == 0)
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { close(descriptor) }
      try lock.hold {}
    }
  }

  @Test func `What a holder has left is taken without holding`() throws {
    try withDirectory { directory in
      let lock = try lock(directory)
      let descriptor = open(lock.file.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(descriptor, LOCK_EX) == 0)
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { close(descriptor) }
      let value = try lock.hold(
        orTake: { () throws(Failure) -> String? in "theirs" }, { () throws(Failure) in "ours" })
      #expect(value == "theirs")
    }
  }

  @Test func `Whatever is no file of ours in its place is not used`() throws {
    try withDirectory { directory in
      let lock = try lock(directory)
      let makers: [(String) -> Int32] = [
        { mkfifo($0, 0o600) }, { symlink("/dev/null", $0) }, { mkdir($0, 0o700) },
      ]
      for make in makers {
        #expect(make(lock.file.path) == 0)
        #expect(failure { try lock.hold {} }?.exitStatus == 75)
        remove(lock.file.path)
      }
    }
  }

  @Test func `A directory that is not ours alone is passed over for the next`() throws {
    try withDirectory { directory in
      let usual = "\(directory)/coder-cred"
      // A symbolic link, a file, and one that others may write to.
      let makers: [() -> Int32] = [
        { symlink("/tmp", usual) }, { mkfifo(usual, 0o700) },
        { mkdir(usual, 0o700) + chmod(usual, 0o777) },
      ]
      for make in makers {
        #expect(make() == 0)
        let path = try lock(directory).file.path
        #expect(!path.hasPrefix(usual))
        remove(usual)
      }
      #expect(try lock(directory).file.path.hasPrefix(usual))
    }
  }

  @Test func `Without XDG_RUNTIME_DIR there is still one place for all`() throws {
    try withDirectory { directory in
      for variables in [[:], ["XDG_RUNTIME_DIR": "relative"], ["XDG_RUNTIME_DIR": "/nowhere"]] {
        let environment = Environment(
          variables.merging(["HOME": "\(directory)/home"]) { first, _ in first })
        let path = try RuntimeDirectory.path(environment)
        #expect(
          path == "/run/user/\(geteuid())/coder-cred"
            || path == "\(directory)/home/.local/state/coder-cred")
      }
    }
  }
}
