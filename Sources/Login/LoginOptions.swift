/// What a person asks of a sign-in, and what their settings say about it.
package struct LoginOptions {
  /// The ways to sign in.
  package enum Method: String, CaseIterable, Sendable {
    /// By OAuth where the deployment offers it, else with a token.
    case auto
    /// By OAuth, through a browser.
    case oauth
    /// By OAuth, with a code that the person enters in a browser on any device (RFC 8628).
    case device
    /// With a session token that the person pastes.
    case token
  }

  /// Where the browser brings its response.
  package enum Redirect: String, CaseIterable, Sendable {
    /// To a port of 127.0.0.1.
    case loopback
    /// To a `coder-cred://` link.
    case scheme
  }

  /// The way to sign in.
  package var method = Method.auto
  /// The scopes to ask for, with blanks between them; nil leaves them to the deployment.
  package var scope: String?
  /// The resource to name (RFC 8707); nil names none.
  package var resource: String?
  /// The port of 127.0.0.1 to wait on; nil takes a free one.
  package var port: UInt16?
  /// Where the browser brings its response.
  package var redirect = Redirect.loopback
  /// The client that an administrator made, as the person has just named it.
  package var clientID: String?
  /// The client that an administrator made, as the settings name it.
  package var configuredClientID: String?
  /// Sign in as this user and no other; nil takes whoever the browser is signed in as.
  package var account: String?
  /// How long the person may take in the browser, in seconds.
  package var browserTimeoutSeconds = 300

  /// Signs in by any way, with nothing said.
  package init() {}
}
