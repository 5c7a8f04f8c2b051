package import Credentials
package import OAuth
package import Secrets
package import Sessions

/// The person who signs in, with their browser: the seam between signing in and a terminal.
package protocol LoginPrompt {
  /// Whether the person can be asked something.
  var canAsk: Bool { get }
  /// Whether a browser would open before the person.
  var hasBrowser: Bool { get }
  /// Tells the person something.
  func tell(_ event: LoginEvent)
  /// Asks which of several ways to sign in is taken, the first being the best.
  ///
  /// - Throws: ``LoginError/givenUp`` when the person wants none.
  func chooseMethod(_ methods: [LoginOptions.Method]) throws(LoginError) -> LoginOptions.Method
  /// Shows the deployment's page that shows a token, and asks for it.
  ///
  /// - Parameters:
  ///   - deployment: where the person signs in.
  ///   - isRepeated: whether the page was shown already.
  /// - Returns: the token; nil when none is given.
  /// - Throws: ``LoginError/malformedToken``, ``LoginError/unusableInput(reason:)``.
  func askForToken(of deployment: Deployment, isRepeated: Bool) throws(LoginError) -> Secret?
  /// Asks for the secret of a client that an administrator made; empty when there is none, or when
  /// the known one is still good.
  func askForClientSecret(isKnown: Bool) throws(LoginError) -> Secret
  /// Asks whether a sign-in is to be kept although another account has signed in than before.
  ///
  /// - Parameters:
  ///   - account: who has signed in.
  ///   - former: who is signed in to the deployment already.
  ///   - isInterrupted: whether the person wants no more; asked again and again.
  /// - Returns: whether the person said so; no answer is a no.
  func keeps(account: String, beside former: [String], isInterrupted: () -> Bool) -> Bool
  /// Sends the person to the authorization page, and says how to come back from it.
  ///
  /// - Returns: the ways by which the terminal can bring the response, or show that it is awaited.
  func show(_ page: AuthorizationPage) throws(LoginError) -> [any LoginEventSource]
  /// Shows a code, and where the person enters it.
  ///
  /// - Returns: the ways by which the terminal can end the wait, or show that it goes on.
  func show(_ page: DevicePage) throws(LoginError) -> [any LoginEventSource]
  /// What the person says while another process's sign-in is waited for; nil for nothing. Asked again
  /// and again.
  func saysWhileWaiting() -> WaitingChoice?
  /// The response has come, or will not come any more.
  func stopWaiting(_ sources: [any LoginEventSource])
}

/// Where the person allows the sign-in.
package struct AuthorizationPage {
  /// The address for the browser.
  package let url: String
  /// The address to start a browser with in place of it. What a browser is started with, every user
  /// of the machine can read: while others are there, it is one of our own that leads a browser of
  /// this user, on this machine, to the other once.
  package let startPage: (String) -> String
  /// The deployment that it belongs to.
  package let deployment: Deployment
  /// Where the browser comes back to.
  package let redirectURI: String
  /// The port of 127.0.0.1 that is listened on.
  package let port: UInt16
  /// How long the response is waited for, in seconds.
  package let timeoutSeconds: Int
}

/// Where the person enters a code, on any device.
package struct DevicePage {
  /// The address.
  package let url: String
  /// The same with the code in it; nil when the deployment gives none.
  package let completeURL: String?
  /// The code.
  package let userCode: String
  /// How long the code is good, in seconds.
  package let timeoutSeconds: Int
}

/// What a person can say while another process's sign-in is waited for.
package enum WaitingChoice {
  /// End the other sign-in, and go on here.
  case takeOver
  /// End this one.
  case giveUp
}

/// What a person is told while signing in.
package enum LoginEvent: Equatable {
  /// The deployment is asked what it offers.
  case started(Deployment)
  /// These accounts are signed in already.
  case alreadySignedIn([String], at: Deployment)
  /// Another process is signing in to the same deployment, and which, if that can be told.
  case waitingForAnotherLogin(Deployment, LoginLock.Holder?)
  /// The other process's sign-in is ended, because the person wants to go on here.
  case takingOver
  /// The deployment does not let this client sign in with a code, so a browser is used.
  case browserInstead(OAuthError)
  /// The administrator's client must have this redirect URI.
  case redirectNeeded(String)
  /// A token was not taken, and another may be given.
  case tokenRefused(LoginError, at: Deployment)
  /// OAuth cannot be used, so a token is asked for.
  case tokenInstead(LoginError, at: Deployment)
  /// The deployment has forgotten our registration, and a new one is made.
  case registeringAgain(Deployment)
  /// The code that was pasted is unknown.
  case unknownCode
  /// The registration was replaced, so this account's session cannot be refreshed any more.
  case mustSignInAgain(account: String)
  /// Another account has signed in than those that are signed in already.
  case otherAccount(String, beside: [String])
  /// A signal ends the sign-in, and what it began has been taken back.
  case interrupted(Deployment)
  /// The grant of the former sign-in goes on at the deployment.
  case formerNotRevoked(OAuthError?)
}

/// Why a sign-in did not succeed.
package enum LoginError: Error, Equatable {
  /// The keyring or a lock refused.
  case session(SessionError)
  /// A step of OAuth failed.
  case oauth(OAuthError)
  /// The deployment did not say whose the token is.
  case noResponse(DeploymentAPI.NoResponse)
  /// Nothing at the address is a Coder deployment or an OAuth server: what is there, and the
  /// deployment that the address seems to be a page of.
  case notDeployment(found: String, pageOf: Deployment?)
  /// The person wants no more.
  case givenUp
  /// Whoever was asked on the consent page declined, with the server's reason; these accounts stay
  /// signed in.
  case declined(reason: String?, signedIn: [String])
  /// What was pasted cannot be a token.
  case malformedToken
  /// What was typed cannot be read.
  case unusableInput(reason: String)
  /// No token was given.
  case noToken
  /// The deployment does not accept the token.
  case tokenRejected
  /// The deployment does not say whose the token is.
  case tokenOwnerUnknown
  /// The token, or the browser's session, is another user's than was asked for.
  case wrongAccount(found: String, wanted: String, isOfBrowser: Bool)
  /// The client identifier or its secret holds a blank or a control character.
  case malformedClient
  /// Another sign-in to the same deployment, of this process if that can be told, goes on and on.
  case otherLoginDoesNotEnd(process: Int32?)
  /// Another sign-in to the same deployment was waited for, and failed.
  case otherLoginFailed
  /// Another process has ended the session before it was saved: by another sign-in, or by signing
  /// out.
  case endedMeanwhile
  /// The system gives no socket for the browser's response.
  case noSocket(reason: String)
}
