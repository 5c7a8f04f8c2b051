import Secrets

extension Credential.HeaderNotation {
  /// A flat JSON object, as Claude Code's `headersHelper` reads it.
  public static let json = Self("json", absent: "{}\n") { credential throws(MalformedInput) in
    "{\"\(credential.fieldName)\":\(try credential.fieldValue().jsonString)}\n"
  }
}
