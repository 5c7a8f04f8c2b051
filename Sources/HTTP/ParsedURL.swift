import CCurl

/// A URL taken apart by libcurl's own parser, so that what is checked is what is used.
final class ParsedURL {
  let handle: OpaquePointer

  /// Parses an absolute URL; nil if libcurl cannot or if the text is not plain visible ASCII.
  init?(_ text: String) {
    // RFC 3986 §2: "The URI syntax provides a method of encoding data [...] as a sequence of
    // characters [...] from the US-ASCII coded character set"; a backslash is not among them.
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x5C }), let handle = ccurl_url()
    else { return nil }
    guard ccurl_url_set(handle, CURLUPART_URL, text, ccurl_url_non_support_scheme) == CURLUE_OK
    else {
      ccurl_url_cleanup(handle)
      return nil
    }
    self.handle = handle
  }

  deinit {
    ccurl_url_cleanup(handle)
  }

  /// One part of the URL as written; nil if there is none.
  func part(_ part: CURLUPart) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard ccurl_url_get(handle, part, &text, 0) == CURLUE_OK, let text else { return nil }
    defer { ccurl_free(text) }
    return String(cString: text)
  }
}
