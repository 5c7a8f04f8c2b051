import Glibc

/// A shell that cleans up when this process dies half-way.
///
/// It reads from a pipe only we hold: at its end, without a farewell, it kills the pids it was told
/// of and removes the directory. (A parent-death signal would not do: it fires when the *thread* that
/// started the child ends, and tests run on threads that come and go.)
final class Watchdog: @unchecked Sendable {
  private let line: Descriptor
  private let shell: ChildProcess

  private static let script = """
    trap '' INT TERM HUP
    pids=' '
    while read -r word pid; do
      case $word in
        born) pids="$pids$pid " ;;
        dead) pids="${pids%% $pid *} ${pids#* $pid }" ;;
        bye) exit 0 ;;
      esac
    done
    for pid in $pids; do kill -KILL "$pid"; done
    rm -rf -- "$1"
    """

  init(directory: String) throws {
    let pipe = try Descriptor.pipe()
    shell = try ChildProcess(
      "/bin/sh", ["-c", Self.script, "sh", directory],
      environment: ["PATH": PrivateSession.path], input: .descriptor(pipe.read.number))
    line = pipe.write
  }

  func born(_ child: ChildProcess) { say("born \(child.pid)\n") }

  func dead(_ child: ChildProcess) { say("dead \(child.pid)\n") }

  func bye() {
    say("bye 0\n")
    line.close()
    if shell.waitForExit(timeout: 5) == nil { shell.end() }
  }

  private func say(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(line.number, $0.baseAddress, $0.count) }
  }
}
