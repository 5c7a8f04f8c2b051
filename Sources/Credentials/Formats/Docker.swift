public import Secrets

extension Credential {
  /// The answer to `get` of docker's credential helpers (docker-credential-helpers, README).
  ///
  /// - Parameter server: the server in the caller's own spelling; nil is the deployment's URL.
  /// - Returns: a JSON object and a newline.
  /// - Throws: as ``written(as:)``.
  public func docker(server: String? = nil) throws(MalformedInput) -> Secret {
    let secret = session.method == .basic ? session.accessToken : try token()
    // Docker's client takes an empty name for no credential at all.
    let user = session.account.isEmpty ? "coder" : session.account
    return """
      {"ServerURL":\(JSONText.quoted(server ?? session.deployment.url)),\
      "Username":\(JSONText.quoted(user)),"Secret":\(secret.jsonString)}

      """
  }
}
