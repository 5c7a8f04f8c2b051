import ArgumentParser
import Credentials
import Glibc
import Secrets

ProcessHardening.apply()
// The door and we answer alike only if we were built alike. The tools we start may be of any
// version, so the word ends here.
if let door = Environment.ofThisProcess[Version.variable], door != Version.number {
  let failure = Failure(
    .reportIt, "coder-cred \(door) has started coder-cred-engine \(Version.number)",
    hint: "install coder-cred again, both programs from one package")
  Terminal.report(failure)
  exit(failure.exitStatus)
}
unsetenv(Version.variable)

let arguments = CommandLineArguments(Array(CommandLine.arguments.dropFirst()))
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
