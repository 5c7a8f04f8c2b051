/// What the person asks of a sign-in.
struct LoginOptions {
  /// The ways to sign in.
  enum Method: String, CaseIterable {
    case auto
    case oauth
    case token
  }

  /// Where the browser brings its answer.
  enum Redirect: String, CaseIterable {
    case loopback
    case scheme
  }

  var method = Method.auto
  var scope: String?
  var port: UInt16?
  var redirect = Redirect.loopback
  var clientID: String?
  var account: String?
  var acceptsIssuer = false
  var opensBrowser = true
}
