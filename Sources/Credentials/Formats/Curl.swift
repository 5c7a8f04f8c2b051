import Secrets

extension Credential.HeaderNotation {
  /// A file for `curl -K`.
  ///
  /// curl(1), "--config": within double quotes, `\\` and `\"` stand for themselves, which is how
  /// JSON writes the two as well.
  public static let curl = Self("curl", absent: "") { credential throws(MalformedInput) in
    let field: Secret = "Authorization: \(try credential.authorization())"
    return "header = \(field.jsonString)\n"
  }
}
