import Glibc

/// A shell that cleans up when this process dies half-way.
///
/// It reads from a pipe that only we hold: at its end, unless it was dismissed before, it kills the
/// pids it was told of and removes the directory. (A parent-death signal would not do: it fires when
/// the *thread* that started the child ends, and tests run on threads that come and go.)
final class Watchdog: @unchecked Sendable {
  private let line: Descriptor
  private let shell: ChildProcess

  private static let script = """
    trap '' INT TERM HUP
    pids=' '
    while read -r word pid; do
      case $word in
        started) pids="$pids$pid " ;;
        ended) pids="${pids%% $pid *} ${pids#* $pid }" ;;
        dismissed) exit 0 ;;
      esac
    done
    for pid in $pids; do kill -KILL "$pid"; done
    rm -rf -- "$1"
    """

  init(directory: String) throws {
    let pipe = try Descriptor.pipe()
    shell = try ChildProcess(
      "/bin/sh", ["-c", Self.script, "sh", directory],
      environment: ["PATH": PrivateDesktop.path], input: .descriptor(pipe.read.number))
    line = pipe.write
  }

  func started(_ child: ChildProcess) { send("started \(child.pid)\n") }

  func ended(_ child: ChildProcess) { send("ended \(child.pid)\n") }

  func dismiss() {
    send("dismissed 0\n")
    line.close()
    if shell.waitForExit(timeoutSeconds: 5) == nil { shell.end() }
  }

  private func send(_ text: String) {
    var text = text
    text.withUTF8 { _ = write(line.number, $0.baseAddress, $0.count) }
  }
}
