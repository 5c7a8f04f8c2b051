internal import CSecretLoader

/// libsecret, loaded when something is written, encrypted or asked for the first time.
///
/// Loading it, and the libraries for its encryption, takes 0.3 ms, and an `erase` uses nothing of it.
/// No function of libsecret is called before a successful ``load()``.
enum SecretLibrary {
  /// The library's name for `dlopen(3)`, the same as in the `.note.dlopen` of `CSecretLoader`.
  static let soname = "libsecret-1.so.0"

  /// Loads libsecret, once for the process.
  ///
  /// - Throws: `libraryUnusable`, the same at every call.
  static func load() throws(SecretServiceError) {
    if let failure { throw failure }
  }

  private static let failure = failure(loading: soname)

  /// Why a library cannot be used in libsecret's place; nil when it was loaded.
  static func failure(loading soname: String) -> SecretServiceError? {
    guard let reason = csecret_load(soname) else { return nil }
    return .libraryUnusable(
      reason: "libsecret, Debian's package libsecret-1-0, cannot be loaded: "
        + String(cString: reason))
  }
}
