import Secrets

extension Credential.HeaderNotation {
  /// A file for `curl -K`.
  ///
  /// curl(1), "--config": within double quotes, `\\` and `\"` stand for themselves, which is how
  /// JSON writes the two as well.
  public static let curl = Self("curl", absent: "") { credential throws(MalformedInput) in
    let field: Secret = "\(credential.fieldName): \(try credential.fieldValue())"
    return "header = \(field.jsonString)\n"
  }
}
