import ArgumentParser
import CLinux
import Glibc

// A descriptor below 3 that is free would be taken by a socket, and then written to as if it were
// ours to speak on.
for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
  _ = open("/dev/null", O_RDWR)
}
// Before the first secret is read: no core dump, and no debugger of another process.
var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
_ = clinux_forbid_dumps()
// A reader that went away is an error to report, not a reason to die unheard.
signal(SIGPIPE, SIG_IGN)

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
if arguments.isUnknownOperation && isatty(STDIN_FILENO) == 0 { exit(0) }
do {
  var command = try CoderCred.parseAsRoot(arguments.words)
  try command.run()
} catch let failure as Failure {
  Terminal.report(failure)
  SignInNotice(environment: .ofThisProcess).announce(failure)
  exit(failure.exitStatus)
} catch {
  let status = CoderCred.exitCode(for: error).rawValue
  let message = CoderCred.fullMessage(for: error)
  if status == 0 {
    Terminal.show(message + "\n")
    exit(0)
  }
  Terminal.report(
    Failure(.fixTheCall, CoderCred.message(for: error), hint: "coder-cred help"))
  exit(64)
}
