package import OAuth

extension Result where Success == AuthorizationResponse, Failure == OAuthError {
  /// Reads the query that a browser was sent back with; nil when it does not belong to this sign-in.
  package init?(query: String, expected: AuthorizationResponse.Expectation) {
    do throws(OAuthError) {
      guard let response = try AuthorizationResponse(query: query, expected: expected) else {
        return nil
      }
      self = .success(response)
    } catch {
      self = .failure(error)
    }
  }
}
