import Credentials
import Glibc
import Sessions

/// Why a request gets no answer, for a person who sees only what comes of it: git's
/// `Username for …`, or a 401.
struct UnansweredRequest {
  let context: CommandContext
  private var environment: Environment { context.environment }

  /// Says on a terminal why git gets nothing, if git is about to ask the person.
  ///
  /// git asks every helper about every server, and a word about one that is none of ours reads as if
  /// git had failed. So only what is known to be a deployment is spoken of, and only where no other
  /// helper comes after us.
  func explain(_ deployment: Deployment) {
    guard environment.isGitsChain, isatty(STDERR_FILENO) != 0, deployment.isHTTP,
      let known = deployment.withParents.first(where: isKnown), isLastHelper(for: deployment)
    else { return }
    say(known.url, "to sign in")
  }

  /// Whether the settings name a place as a deployment, or this machine is still registered there.
  private func isKnown(_ place: Deployment) -> Bool {
    if let settings = try? context.settings() {
      let group = Settings.group(of: place)
      if settings.entries.contains(where: { $0.group == group }) { return true }
    }
    if let common = try? context.defaultDeployment(), (try? Deployment(url: common)) == place {
      return true
    }
    do throws(StoreError) { return try context.store.registration(of: place) != nil } catch {
      return false
    }
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
