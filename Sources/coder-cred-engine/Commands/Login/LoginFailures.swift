import Credentials
import Login
import OAuth

/// What a person reads when a sign-in did not succeed.
extension Failure {
  /// Translates why a sign-in did not succeed.
  init(_ error: LoginError, at deployment: Deployment) {
    let place = deployment.url
    let again = "coder-cred login \(place)"
    switch error {
    case .session(let error): self.init(error)
    case .oauth(let error): self.init(error, at: deployment)
    case .noResponse(let reason): self.init(reason, at: deployment)
    case .notDeployment(let found, let parent):
      self.init(
        .fixTheInput, "\(place) is no Coder deployment: /api/v2/buildinfo there is \(found)",
        hint: parent.map { "coder-cred login \($0.url)" }
          ?? "check the address; it is what your browser shows, without the page: "
          + "https://coder.example.com")
    case .givenUp:
      self.init(.signInAgain, "not signed in to \(place); nothing was changed", hint: again)
    case .declined(let reason, let signedIn): self.init(declinedFor: reason, signedIn, at: place)
    case .malformedToken, .noToken, .tokenRejected, .tokenOwnerUnknown, .wrongAccount:
      self.init(aboutToken: error, at: place)
    case .unusableInput(let reason): self.init(.fixTheInput, reason)
    case .malformedClient:
      self.init(
        .fixTheInput, "the client id or its secret holds a blank or a control character")
    case .otherLoginDoesNotEnd(let process):
      self.init(
        .retryLater,
        "another sign-in to \(place)\(process.map { " (process \($0))" } ?? "") does not end",
        hint: process.map { "if nobody is in front of it: kill \($0)" })
    case .otherLoginFailed:
      self.init(.retryLater, "the other sign-in to \(place) did not succeed", hint: again)
    case .endedMeanwhile:
      self.init(
        .retryLater, "another process signed in to \(place), or out of it, at the same time",
        hint: again)
    case .noSocket(let reason):
      self.init(.retryLater, "no socket for the browser's answer: \(reason)")
    }
  }

  private init(declinedFor reason: String?, _ signedIn: [String], at place: String) {
    // RFC 6749 §4.1.2.1: "The resource owner or authorization server denied the request." Servers
    // send this sentence, which tells nothing more.
    let isSentence = reason?.lowercased().hasPrefix("the resource owner or authorization server")
    let words = isSentence == false ? reason.map { ": \"\($0.replacing("\"", with: "'"))\"" } : nil
    let rest =
      signedIn.isEmpty
      ? "nothing was kept"
      : "\(signedIn.joined(separator: ", ")) stay\(signedIn.count == 1 ? "s" : "") signed in as before"
    self.init(
      .askForAccess,
      "\(place): access was denied by whoever was asked in the browser\(words ?? "")",
      hint: "\(rest); to be asked again: coder-cred login \(place)")
  }

  private init(aboutToken error: LoginError, at place: String) {
    let page = "it is shown at \(place)/cli-auth"
    switch error {
    case .noToken: self.init(.fixTheInput, "no token was given", hint: page)
    case .tokenRejected:
      self.init(
        .askForAccess, "\(place) does not accept this token",
        hint: "copy a fresh one from \(place)/cli-auth")
    case .tokenOwnerUnknown:
      self.init(.fixTheServer, "\(place) does not say whose token it is")
    case .wrongAccount(let found, let wanted, let isOfBrowser):
      self.init(
        .askForAccess,
        isOfBrowser
          ? "the browser is signed in as \(found), not \(wanted)"
          : "the token is \(found)'s, not \(wanted)'s",
        hint: isOfBrowser
          ? "sign out of \(place) in the browser, and try again; or, to sign in as \(found): "
            + "coder-cred login \(place) --account \(found)" : nil)
    default: self.init(.fixTheInput, "this is no session token", hint: page)
    }
  }
}
