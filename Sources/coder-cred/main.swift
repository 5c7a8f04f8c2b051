import Credentials
import Glibc
import Secrets

Custody.begin()
var door = Door()
do throws(Unusual) {
  let answer = try door.answer(CommandLine.arguments)
  guard !Custody.hand(answer, to: STDOUT_FILENO) else { exit(0) }
  // What was written cannot be taken back, so the engine cannot try again.
  Engine.fail("the answer could not be written to standard output")
} catch {
  Engine.replaceUs(replaying: door.request)
}
