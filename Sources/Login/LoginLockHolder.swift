import Glibc

extension LoginLock {
  /// The process that holds the lock, as the kernel tells it.
  package struct Holder: Equatable, Sendable {
    /// Its process id.
    package let process: Int32
    /// How long it has been running, in seconds; nil when that cannot be told.
    package let runningSeconds: Int?

    /// Describes a process.
    package init(process: Int32, runningSeconds: Int?) {
      self.process = process
      self.runningSeconds = runningSeconds
    }

    /// Finds out who holds the lock on an open file; nil when nobody does, or it is a process of
    /// another container.
    init?(of descriptor: Int32) {
      var status = stat()
      guard fstat(descriptor, &status) == 0, let locks = Self.contents(of: "/proc/locks") else {
        return nil
      }
      let file = Self.name(of: status)
      for line in locks.split(separator: UInt8(ascii: "\n")) {
        // proc_locks(5): number, kind, "ADVISORY", "WRITE", process, major:minor:inode, range.
        let words = line.split(separator: UInt8(ascii: " ")).map {
          String(decoding: $0, as: UTF8.self)
        }
        guard words.count >= 6, words[1] == "FLOCK", words[5] == file,
          let process = Int32(words[4]), process > 0
        else { continue }
        self.init(process: process, runningSeconds: Self.runningSeconds(process))
        return
      }
      return nil
    }

    /// Asks the process to end, and to take back what it began; one that is suspended, too.
    ///
    /// - Returns: whether it could be asked.
    func end() -> Bool {
      guard process != getpid(), kill(process, SIGTERM) == 0 else { return false }
      kill(process, SIGCONT)
      return true
    }

    /// A file as proc_locks(5) names it.
    private static func name(of status: stat) -> String {
      func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return digits.utf8.count < 2 ? "0" + digits : digits
      }
      // makedev(3): 12 bits of the major number from bit 8 on; the minor one is around them.
      let device = UInt64(status.st_dev)
      let major = device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000
      let minor = device & 0xFF | device >> 12 & 0xFFFF_FF00
      return "\(hexadecimal(major)):\(hexadecimal(minor)):\(status.st_ino)"
    }

    private static func runningSeconds(_ process: Int32) -> Int? {
      // proc_pid_stat(5): the second field is in parentheses and may hold anything; "(22) starttime
      // […] the time the process started after system boot […] in clock ticks".
      guard let text = contents(of: "/proc/\(process)/stat"),
        let end = text.lastIndex(of: UInt8(ascii: ")"))
      else { return nil }
      let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
      let ticks = sysconf(Int32(_SC_CLK_TCK))
      guard fields.count > 19, ticks > 0,
        let start = Int(String(decoding: fields[19], as: UTF8.self))
      else { return nil }
      var now = timespec()
      clock_gettime(CLOCK_BOOTTIME, &now)
      return max(0, now.tv_sec - start / ticks)
    }

    /// What a file of proc(5) holds, at most 1 MiB of it.
    private static func contents(of path: String) -> [UInt8]? {
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return nil }
      defer { close(descriptor) }
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 16_384)
      while bytes.count < 1 << 20 {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { break }
        bytes += chunk[..<count]
      }
      return bytes
    }
  }
}
