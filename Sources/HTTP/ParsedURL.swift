import CCurl

/// A URL taken apart by libcurl's own parser, so that what is checked is what is used.
final class ParsedURL {
  let handle: OpaquePointer

  /// Parses an absolute URL; nil if libcurl cannot or if the text is not plain visible ASCII.
  init?(_ text: String) {
    // RFC 3986 §2: "The URI syntax provides a method of encoding data [...] as a sequence of
    // characters [...] from the US-ASCII coded character set"; a backslash is not among them.
    guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != 0x5C }), let handle = curl_url()
    else { return nil }
    let flags = UInt32(bitPattern: CURLU_NON_SUPPORT_SCHEME)
    guard curl_url_set(handle, CURLUPART_URL, text, flags) == CURLUE_OK else {
      curl_url_cleanup(handle)
      return nil
    }
    self.handle = handle
  }

  deinit {
    curl_url_cleanup(handle)
  }

  /// One part of the URL; nil if there is none, or if it cannot be decoded as asked.
  func part(_ part: CURLUPart, decoded: Bool = false) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    let flags = UInt32(bitPattern: decoded ? CURLU_URLDECODE : 0)
    guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
    defer { curl_free(text) }
    return String(cString: text)
  }
}
