import Secrets

/// A grant to be exchanged for tokens.
enum TokenRequest {
  /// A fresh code (RFC 6749 §4.1.3, RFC 7636 §4.5).
  case authorizationCode(
    code: Secret, redirectURI: String, verifier: CodeVerifier, resource: String?)
  /// A refresh token (RFC 6749 §6); nil scope keeps what was granted.
  case refreshToken(Secret, scope: String?, resource: String?)

  /// The form for a token endpoint, without the client.
  ///
  /// It holds the parameters of the specifications and nothing else: older deployments refuse what
  /// they do not know.
  var form: FormBody {
    var form = FormBody()
    switch self {
    case .authorizationCode(let code, let redirectURI, let verifier, let resource):
      form.append("grant_type", "authorization_code")
      form.append("code", code)
      // RFC 6749 §4.1.3: "REQUIRED, if the "redirect_uri" parameter was included in the
      // authorization request as described in Section 4.1.1, and their values MUST be identical."
      form.append("redirect_uri", redirectURI)
      form.append("code_verifier", verifier.value)
      form.append("resource", resource)
    case .refreshToken(let token, let scope, let resource):
      form.append("grant_type", "refresh_token")
      form.append("refresh_token", token)
      form.append("scope", scope)
      form.append("resource", resource)
    }
    return form
  }
}
