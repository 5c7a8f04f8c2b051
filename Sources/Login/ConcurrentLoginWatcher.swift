import OAuth

/// Notices that another sign-in to the same deployment has succeeded.
final class ConcurrentLoginWatcher: LoginEventSource {
  private let ticker = Ticker(milliseconds: 2000)
  private let isSignedIn: () -> Bool

  /// Asks every two seconds.
  init(_ isSignedIn: @escaping () -> Bool) {
    self.isSignedIn = isSignedIn
  }

  var descriptor: Int32? { ticker.descriptor }

  func advance(
    _ expected: AuthorizationResponse.Expectation
  ) -> Result<AuthorizationResponse, OAuthError>? {
    ticker.take()
    return isSignedIn() ? .failure(.superseded) : nil
  }
}
