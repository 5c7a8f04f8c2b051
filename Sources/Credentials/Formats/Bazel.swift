import Secrets

extension Credential.HeaderNotation {
  /// The answer of a Bazel credential helper (EngFlow's credential-helper-spec): fields with arrays
  /// of values, and an expiry in whole seconds, for Bazel's parser takes no fraction.
  ///
  /// A URI that a helper does not support "SHOULD" be an error, and an empty output is one.
  public static let bazel = Self("bazel") { credential throws(MalformedInput) in
    let expiry = credential.expiry.map { ",\"expires\":\"\($0)\"" } ?? ""
    return """
      {"headers":{"\(credential.fieldName)":[\(try credential.fieldValue().jsonString)]}\(expiry)}

      """
  }
}
