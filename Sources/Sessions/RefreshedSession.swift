package import Credentials
package import OAuth

extension StoredSession {
  /// This session with the tokens of a token response.
  package func refreshed(with response: TokenResponse, now: Int64) -> StoredSession {
    var refreshed = self
    refreshed.accessToken = response.accessToken
    refreshed.tokenType = response.tokenType
    refreshed.issuedAt = now
    refreshed.expiresAt = response.expiresAt
    // RFC 6749 §6: "The authorization server MAY issue a new refresh token"; without one the old
    // one stays good.
    refreshed.refreshToken = response.refreshToken ?? refreshToken
    refreshed.scope = response.scope ?? scope
    refreshed.staleSince = nil
    refreshed.refreshingSince = nil
    return refreshed
  }
}
