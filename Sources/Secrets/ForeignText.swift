/// Text that somebody else wrote (a server, a browser, a library, another program), made fit for
/// where it is shown.
///
/// Every kind removes or replaces the same scalars: controls (an escape sequence begins with one),
/// direction marks and other invisible formatting, line and paragraph separators, characters that
/// show as nothing, and what Unicode does not assign. Kinds differ in what stands in their place.
public enum ForeignText {
  /// The longest quotation, in Unicode scalars.
  public static let quotationLimit = 200

  /// The words of somebody else inside a sentence of ours: one line without its invisible scalars,
  /// blanks single, at most `limit` scalars; nil when nothing remains.
  ///
  /// - Parameters:
  ///   - text: what they wrote.
  ///   - secrets: what must not be shown should they repeat it, as it is or form-encoded.
  ///   - limit: the most scalars kept.
  /// - Returns: the quotation, without quotation marks.
  public static func quotation(
    _ text: String, redacting secrets: [Secret] = [], limit: Int = quotationLimit
  ) -> String? {
    // Enough to find a secret that begins before the limit, and no more.
    let reach = limit + (secrets.isEmpty ? 0 : 16_384)
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if isBlank(scalar) {
        if let last = scalars.last, last != " " { scalars.append(" ") }
      } else if !isInvisible(scalar) {
        scalars.append(scalar)
      }
      if scalars.count >= reach { break }
    }
    // After the invisible scalars are gone: they could have split a secret.
    let redacted = secrets.reduce(String(scalars)) { $1.redacted(in: $0) }
    var kept = redacted.unicodeScalars.prefix(limit)
    if kept.last == " " { kept.removeLast() }
    return kept.isEmpty ? nil : String(kept)
  }

  /// A whole line for a terminal: nothing is lost or cut off, and what a terminal would obey, or
  /// what would show text in another order than written, is replaced by U+FFFD.
  public static func terminalLine(_ text: String) -> String {
    replacing(text) { $0 == " " || !(isBlank($0) || isInvisible($0)) ? nil : "\u{FFFD}" }
  }

  /// A label for a keyring, a notification or a page: as ``quotation(_:redacting:limit:)``, and
  /// never empty.
  public static func label(_ text: String) -> String { quotation(text) ?? "?" }

  /// The inside of a JSON string (RFC 8259 §7): nothing is lost, and everything invisible is
  /// written as an escape, so that a terminal shows the document as it is.
  public static func jsonString(_ text: String) -> String {
    replacing(text) { $0 == "\"" || $0 == "\\" ? "\\\($0)" : jsonEscape($0) }
  }

  /// A JSON document on one line, as an encoder wrote it: the inside of its strings as
  /// ``jsonString(_:)`` has it.
  public static func jsonDocument(_ text: String) -> String { replacing(text, with: jsonEscape) }

  private static func jsonEscape(_ scalar: Unicode.Scalar) -> String? {
    guard scalar != " ", isBlank(scalar) || isInvisible(scalar) else { return nil }
    return String(scalar).utf16.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }.joined()
  }

  /// The value of an HTTP header field (RFC 9110 §5.5): visible ASCII and blanks; all else is `?`.
  public static func headerValue(_ text: String) -> String {
    replacing(text) { (0x20...0x7E).contains($0.value) ? nil : "?" }
  }

  /// A line for a log, or a library's text in an error: visible ASCII at most 200 long, and of
  /// every URL neither user information nor query nor fragment.
  public static func logLine(_ text: String) -> String {
    let visible = text.utf8.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: ".") }
    let words = visible.split(separator: 0x20).map { word in
      let withoutUser = word.lastIndex(of: UInt8(ascii: "@")).map { word[($0 + 1)...] } ?? word
      return withoutUser.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    }
    let line = Array(words.joined(separator: [0x20])).prefix(quotationLimit)
    return String(decoding: line, as: UTF8.self)
  }

  /// What shows as a gap, or breaks the line.
  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator: true
    // The blank pattern of Braille is a symbol to Unicode and a gap to the eye.
    default: scalar == "\u{2800}"
    }
  }

  /// What shows as nothing at all, or as nobody knows what. Hangul fillers and variation selectors
  /// are letters and marks to Unicode, but ignorable ones.
  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .format, .surrogate, .privateUse, .unassigned: true
    default: scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  private static func replacing(
    _ text: String, with replacement: (Unicode.Scalar) -> String?
  ) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let replacement = replacement(scalar) {
        result.append(contentsOf: replacement.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
