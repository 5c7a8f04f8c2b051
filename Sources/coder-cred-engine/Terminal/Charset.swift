/// What a terminal can show, by the locale of its programs.
enum Charset {
  /// Whether it shows more than ASCII: unless the locale says otherwise.
  static let isUTF8 = isUTF8(.ofThisProcess)

  /// The same for an environment (locale(7): "LC_ALL", then "LC_CTYPE", then "LANG").
  static func isUTF8(_ environment: Environment) -> Bool {
    let name = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first
    guard let name = name?.lowercased() else { return true }
    return name.hasSuffix("utf-8") || name.hasSuffix("utf8") || name.contains("utf-8@")
      || name.contains("utf8@")
  }

  /// A text as the locale of this process can show it.
  static func shown(_ text: String) -> String { isUTF8 ? text : plain(text) }

  /// A text without what ASCII lacks: our own signs by their like, anything else by `?`.
  static func plain(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "…": result += "..."
      case "“", "”": result += "\""
      case "‘", "’": result += "'"
      case "–", "—": result += "-"
      case _ where scalar.isASCII: result.unicodeScalars.append(scalar)
      default: result += "?"
      }
    }
    return result
  }
}
