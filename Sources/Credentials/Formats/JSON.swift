import Secrets

extension Credential {
  /// All that a script needs, as one object.
  func json() throws(MalformedInput) -> Secret {
    let token = try token().jsonString
    let expiry = expiry.map(JSONText.quoted) ?? "null"
    return """
      {"deployment":\(JSONText.quoted(session.deployment.url)),\
      "account":\(JSONText.quoted(session.account)),\
      "token_type":\(JSONText.quoted(session.tokenType)),\
      "access_token":\(token),"expires_at":\(expiry)}

      """
  }
}
