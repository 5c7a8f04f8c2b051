import Credentials
import Glibc

/// Why a request gets no answer, for a person who sees only what comes of it: git's
/// `Username for …`, or a 401.
struct UnansweredRequest {
  let environment: Environment

  /// Says on a terminal why git gets nothing, if git is about to ask the person.
  ///
  /// git asks every helper about every server: one line is no noise only where none comes after us.
  func explain(_ deployment: Deployment) {
    guard environment.isGitsChain, isatty(STDERR_FILENO) != 0, deployment.isHTTP,
      isLastHelper(for: deployment)
    else { return }
    // What lies below a host's path may be a repository, and no deployment.
    let place = (try? Deployment(scheme: deployment.scheme, authority: deployment.authority))?.url
    say(place ?? deployment.url, "if it is a Coder deployment")
  }

  /// Says on a terminal why a deployment that was named has no header.
  func explainMissingHeader(of deployment: Deployment) {
    guard isatty(STDERR_FILENO) != 0 else { return }
    say(deployment.url, "to sign in")
  }

  private func say(_ place: String, _ when: String) {
    Terminal.warn("nobody is signed in to \(place); \(when): coder-cred login \(place)")
  }

  private func isLastHelper(for deployment: Deployment) -> Bool {
    GitPrompts(environment: environment).setting("credential.helper", for: deployment)?
      .contains("coder-cred") ?? false
  }
}
