import Credentials
import Foundation
import SessionFakes
import Testing

@testable import Sessions

@Suite struct FileLockTests {
  /// A runtime directory of one's own, and what is in it.
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let directory = NSTemporaryDirectory() + "lock-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try body(directory)
  }

  private let alice = SessionIdentity(deployment: deployment, account: "alice")

  /// A lock, and the path of its file.
  private func lock(
    _ directory: String, account: String = "alice"
  ) throws -> (lock: FileLock, path: String) {
    let directory = RuntimeDirectory(parents: [directory, "\(directory)/home"])
    let session = SessionIdentity(deployment: deployment, account: account)
    return (
      FileLock(directory: directory),
      try directory.file(about: session.lockName, suffix: "lock").path
    )
  }

  private func failure(_ body: () throws -> Void) -> SessionError? {
    do { try body() } catch { return error as? SessionError }
    return nil
  }

  private func hold(_ lock: FileLock, timeoutMilliseconds: Int) throws(SessionError) {
    try lock.withLock(
      of: alice, timeoutMilliseconds: timeoutMilliseconds,
      orUse: { () throws(SessionError) -> Void? in nil },
      { _ throws(SessionError) in })
  }

  @Test func `Its directory is for its owner alone, and its name tells nothing`() throws {
    try withDirectory { directory in
      let (lock, path) = try lock(directory)
      try lock.withLock(of: alice) {}
      var status = stat()
      #expect(stat("\(directory)/coder-cred", &status) == 0 && status.st_mode & 0o777 == 0o700)
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
      #expect(!path.contains("alice") && !path.contains("dev.coder"))
      #expect(try path != self.lock(directory, account: "bob").path)
    }
  }

  @Test func `A holder that hangs is named, and not waited for longer than said`() throws {
    try withDirectory { directory in
      let (lock, _) = try lock(directory)
      try lock.withLock(of: alice) { () throws(SessionError) in
        // A second descriptor is as good as a second process: flock(2) asks for the open file.
        let failure = failure { try hold(lock, timeoutMilliseconds: 200) }
        #expect(failure == .busy(holder: getpid(), waitedSeconds: 0))
      }
    }
  }

  @Test func `What is written in the file is only believed if it is a process`() throws {
    try withDirectory { directory in
      let (lock, path) = try lock(directory)
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      defer { close(descriptor) }
      #expect(flock(descriptor, LOCK_EX) == 0)
      for text in ["", "-1\n", "0\n", "99999999999\n", "12", "\u{1b}[2J\n"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: [])
        let failure = failure { try hold(lock, timeoutMilliseconds: 1) }
        #expect(failure == .busy(holder: nil, waitedSeconds: 0), "\(text)")
      }
    }
  }

  /// Does something later, on a thread of its own: those of Dispatch may all be held by tests that wait.
  private func after(milliseconds: UInt32, _ work: @escaping @Sendable () -> Void) {
    Thread.detachNewThread {
      usleep(milliseconds * 1_000)
      work()
    }
  }

  @Test func `A holder that dies leaves nothing to wait for`() throws {
    try withDirectory { directory in
      let (lock, path) = try lock(directory)
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(descriptor, LOCK_EX) == 0)
      after(milliseconds: 100) { close(descriptor) }
      var isHeld = false
      try lock.withLock(of: alice) { isHeld = true }
      #expect(isHeld)
    }
  }

  @Test func `What a holder has left is taken without holding`() throws {
    try withDirectory { directory in
      let (lock, path) = try lock(directory)
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(descriptor, LOCK_EX) == 0)
      after(milliseconds: 1_000) { close(descriptor) }
      let value = try lock.withLock(
        of: alice, timeoutMilliseconds: 60_000,
        orUse: { () throws(SessionError) -> String? in "theirs" },
        { _ throws(SessionError) in "ours" })
      #expect(value == "theirs")
    }
  }

  @Test func `A file that is removed and made again has one holder at a time`() throws {
    try withDirectory { directory in
      let (lock, path) = try lock(directory)
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      #expect(flock(descriptor, LOCK_EX) == 0)
      after(milliseconds: 100) {
        unlink(path)
        close(descriptor)
      }
      try lock.withLock(of: alice) { () throws(SessionError) in
        let failure = failure { try hold(lock, timeoutMilliseconds: 1) }
        #expect(failure == .busy(holder: getpid(), waitedSeconds: 0))
      }
    }
  }

  @Test func `Whatever is no file of ours in its place is not used`() throws {
    try withDirectory { directory in
      let (lock, path) = try lock(directory)
      let makers: [(String) -> Int32] = [
        { mkfifo($0, 0o600) }, { symlink("/dev/null", $0) }, { mkdir($0, 0o700) },
      ]
      for make in makers {
        #expect(make(path) == 0)
        guard case .lockUnusable = failure({ try lock.withLock(of: alice) {} }) else {
          Issue.record("the lock was used")
          return
        }
        remove(path)
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
        let path = try lock(directory).path
        #expect(!path.hasPrefix(usual))
        remove(usual)
      }
      let path = try lock(directory).path
      #expect(path.hasPrefix(usual))
    }
  }
}
