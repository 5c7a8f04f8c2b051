internal import CCurl

/// libcurl, loaded when the first request is made.
///
/// Most commands make none, and loading libcurl with its libraries takes longer than the rest of
/// them. Every call of `ccurl_…` follows a successful ``load()``.
enum CurlLibrary {
  /// The library's name for `dlopen(3)`, the same as in the `.note.dlopen` of `CCurl`.
  static let soname = "libcurl.so.4"

  /// Loads and starts libcurl, once for the process.
  ///
  /// - Throws: `libraryUnusable`, the same at every call.
  static func load() throws(HTTPError) {
    if let failure { throw failure }
  }

  private static let failure: HTTPError? = {
    if let failure = failure(loading: soname) { return failure }
    guard ccurl_global_init() == CURLE_OK else {
      return .libraryUnusable(reason: "\(soname) cannot be started")
    }
    return nil
  }()

  /// Why a library cannot be used in libcurl's place; nil when it was loaded.
  static func failure(loading soname: String) -> HTTPError? {
    guard let reason = ccurl_load(soname) else { return nil }
    return .libraryUnusable(
      reason: "libcurl, Debian's package libcurl4, cannot be loaded: \(String(cString: reason))")
  }
}
