import Secrets

/// One line, for tools that add it to their request.
extension Credential.HeaderNotation {
  /// `Authorization=Bearer …`, as the Coder CLI and its editor extensions read it. They run a header
  /// command for every server, and a failure stops them.
  public static let coder = Self("coder", absent: "") { credential throws(MalformedInput) in
    "\(credential.fieldName)=\(try credential.fieldValue())\n"
  }

  /// `Authorization: Bearer …`, as `curl -H @-` reads it.
  public static let lines = Self("lines", absent: "") { credential throws(MalformedInput) in
    "\(credential.fieldName): \(try credential.fieldValue())\n"
  }

  /// `Bearer …`, the value of the field alone, as cargo's `token-from-stdout` and pnpm's
  /// `tokenHelper` read it. Neither knows an empty output.
  public static let authorization = Self("authorization") { credential throws(MalformedInput) in
    "\(try credential.authorization())\n"
  }

  /// `Cookie: coder_session_token=…`, which workspace proxies strip before they forward.
  public static let cookie = Self("cookie", absent: "") { credential throws(MalformedInput) in
    "Cookie: \(try credential.cookie())\n"
  }
}
