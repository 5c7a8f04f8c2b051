import Secrets

extension Credential.HeaderNotation {
  /// What Go reads from a `GOAUTH` command (`go help goauth`): URL prefixes, an empty line, fields,
  /// and an empty line, neither of which may be missing.
  public static let goauth = Self("goauth", absent: "") { credential throws(MalformedInput) in
    """
    \(credential.session.deployment.url)

    \(credential.fieldName): \(try credential.fieldValue())


    """
  }
}
