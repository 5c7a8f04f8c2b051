import DeploymentSimulator
import Glibc

/// `BROWSER=` for the program under test: decides on the consent page and follows the redirect.
func browse(_ arguments: [String]) -> Never {
  var decision = DeploymentSimulator.Decision.allow
  var user: String?
  var handler: String?
  var url: String?
  var rest = arguments[...]
  while let option = rest.popFirst() {
    switch option {
    case "--deny": decision = .deny
    case "--abandon": decision = .abandon
    case "--user": user = rest.popFirst()
    case "--handler": handler = rest.popFirst()
    case _ where option.hasPrefix("-") || url != nil: complain(usage)
    default: url = option
    }
  }
  guard let url else { complain(usage) }
  do throws(Exchange.Failure) {
    let visit = try DeploymentSimulator.browse(remote: url, decision: decision, user: user)
    if let handler, let callback = visit.callback, visit.callbackStatus == nil {
      hand(callback, to: handler)
    }
    let last = visit.statuses.last ?? 0
    let status = visit.callbackStatus.map(String.init) ?? "none"
    say("deployment-simulator: page \(last), callback \(status)")
    exit(visit.callbackStatus == 200 ? 0 : 1)
  } catch {
    say("deployment-simulator: \(error)")
    exit(1)
  }
}

/// Becomes the program registered for the callback's scheme, as a desktop starts it.
private func hand(_ callback: String, to program: String) -> Never {
  var words = [strdup(program), strdup(callback), nil]
  execvp(program, &words)
  say("deployment-simulator: cannot run \(program)")
  exit(1)
}
