/// Another way than the loopback interface by which the browser's response may come, watched while
/// the receiver waits.
public protocol LoginEventSource: AnyObject {
  /// What to watch for something to read; nil when nothing more will come this way.
  var descriptor: Int32? { get }

  /// Takes what has come, without waiting for more.
  ///
  /// - Parameter expected: what a response must show to be ours.
  /// - Returns: the outcome, when it is the awaited one.
  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>?
}
