import Credentials
import Glibc
import Secrets

func run() -> Never {
  ProcessHardening.apply()
  var fastPath = FastPath()
  do throws(NeedsEngine) {
    let output = try fastPath.output(for: CommandLine.arguments)
    guard !writeSecret(output, to: STDOUT_FILENO) else { exit(0) }
    // What was written cannot be taken back, so the full program cannot try again.
    EngineProcess.fail("the answer could not be written to standard output")
  } catch {
    EngineProcess.replaceUs(replaying: fastPath.input)
  }
}

run()
