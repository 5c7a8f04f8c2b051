import CLinux
import Credentials
import Glibc
import Secrets

/// The whole program, which does whatever the fast path does not.
enum EngineProcess {
  /// Becomes the full program: the same arguments, and on standard input again what was read of it.
  static func replaceUs(replaying request: [UInt8]?) -> Never {
    if let request, !replay(request) { fail("the request cannot be handed to the full program") }
    var own = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &own, own.count)
    guard length > 0, length < own.count,
      let slash = own[..<length].lastIndex(of: CChar(UInt8(ascii: "/")))
    else { fail("where coder-cred is installed cannot be found out") }
    // The full program cleans its environment itself; what it executes gets the one we got.
    CleanEnvironment.restore()
    setenv(Version.variable, Version.number, 1)
    // By our own place alone: never by PATH, nor by the directory we are called in.
    for place in ["coder-cred-engine", "../libexec/coder-cred/coder-cred-engine"] {
      execv(Array(own[...slash]) + place.utf8CString, CommandLine.unsafeArgv)
      guard errno == ENOENT || errno == ENOTDIR else { break }
    }
    fail("coder-cred-engine cannot be started: \(String(cString: strerror(errno)))")
  }

  /// Ends the process for a fault of our own, in the words of the full program and with its status.
  static func fail(_ message: String) -> Never {
    _ = writeText("coder-cred: error: \(message)\n", to: STDERR_FILENO)
    exit(70)
  }

  /// A file without a name: a pipe would have to be written while somebody reads it.
  private static func replay(_ request: [UInt8]) -> Bool {
    let file = memfd_create("request", clinux_close_on_exec)
    defer { close(file) }
    let written = request.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
    return written == request.count && dup2(file, STDIN_FILENO) == STDIN_FILENO
  }
}
