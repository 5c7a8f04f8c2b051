internal import CLinux
internal import Glibc

/// What a process does before it holds its first secret.
public enum ProcessHardening {
  /// Cleans the environment, forbids core dumps and debuggers of other processes, and turns a
  /// broken pipe into an error of `write(2)` instead of a deadly signal.
  public static func apply() {
    CleanEnvironment.apply()
    // A free descriptor below 3 would be taken by the next socket, and then be written to as if it
    // were standard output or standard error.
    // What is written to a closed standard output still fails.
    for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
      _ = open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR)
    }
    var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
    _ = clinux_forbid_dumps()
    signal(SIGPIPE, SIG_IGN)
    // Swift's runtime catches these to run a program that reads our memory; it makes Ctrl-\ do
    // nothing where that fails, as it must here.
    for number in [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV] {
      signal(number, SIG_DFL)
    }
  }
}
