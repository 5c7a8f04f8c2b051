import Credentials

/// A key of the settings file: where it may stand, and which values it takes.
struct SettingKey: Sendable {
  /// What a value must be.
  enum Value: Sendable {
    /// `true` or `false`.
    case flag
    /// A whole number within bounds.
    case number(ClosedRange<Int64>)
    /// The absolute path of a file.
    case file
    /// The URL of a deployment, or of a place that a browser reaches.
    case url
    /// URLs, separated by blanks.
    case urls
    /// A text without blanks.
    case word
    /// Words, separated by blanks.
    case words
  }

  /// Where a key may stand.
  enum Place: Sendable {
    /// For all deployments, or for one, which counts first.
    case anywhere
    /// In the group of all deployments alone.
    case common
    /// In a deployment's group alone.
    case deployment
  }

  let name: String
  let value: Value
  var place = Place.anywhere
  /// What holds when the key is not set; nil when there is no word for it.
  var usual: String?

  /// The ports that a sign-in may wait on: those below belong to root.
  static let ports: ClosedRange<Int64> = 1024...65_535
  /// How long a sign-in may wait for the browser, in seconds.
  static let signInSeconds: ClosedRange<Int64> = 1...3_600

  /// Every key there is, as coder-cred(5) lists them.
  static let all: [SettingKey] = [
    SettingKey(name: Settings.defaultDeployment, value: .url, place: .common),
    SettingKey(name: Settings.account, value: .word, place: .deployment),
    SettingKey(
      name: "refresh-margin", value: .number(StoredSession.margins),
      usual: String(StoredSession.usualMargin)),
    SettingKey(name: "ca-file", value: .file),
    SettingKey(name: "client-certificate", value: .file),
    SettingKey(name: "client-key", value: .file),
    SettingKey(name: "scopes", value: .words),
    SettingKey(name: "resource", value: .word),
    SettingKey(name: "client-id", value: .word),
    SettingKey(name: "redirect-port", value: .number(ports)),
    SettingKey(name: "allowed-origins", value: .urls),
    SettingKey(name: "application-hosts", value: .words, place: .deployment),
    SettingKey(name: "browser-url", value: .url),
    SettingKey(name: "sign-in-timeout", value: .number(signInSeconds), usual: "300"),
    SettingKey(name: "interactive", value: .flag, usual: "false"),
    SettingKey(name: "notifications", value: .flag, usual: "true"),
    SettingKey(name: "allow-http", value: .flag, usual: "false"),
  ]

  /// The key of this name; nil when there is none.
  static func named(_ name: String) -> SettingKey? { all.first { $0.name == name } }

  /// The key whose name is most like a mistyped one; nil when none is.
  static func nearest(to name: String) -> SettingKey? {
    NearestWord.to(name, among: all.map(\.name)) { max(2, $0.utf8.count / 3) }.flatMap(named)
  }

  /// Why a value is none for this key, as the rest of a sentence that begins with the key; nil when
  /// it is one.
  func objection(to text: String) -> String? {
    guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      return "holds a control character"
    }
    let words = text.utf8.split(separator: UInt8(ascii: " ")).compactMap(String.init)
    switch value {
    case .flag:
      return ["true", "false"].contains(text) ? nil : "takes true or false"
    case .number(let bounds):
      guard let number = Int64(text), bounds.contains(number) else {
        return "takes a number from \(bounds.lowerBound) to \(bounds.upperBound)"
      }
      return nil
    case .file: return text.hasPrefix("/") ? nil : "takes an absolute path, one that begins with /"
    case .url: return Self.objection(toURL: text)
    case .urls:
      guard !words.isEmpty else { return "takes URLs, separated by blanks" }
      return words.lazy.compactMap(Self.objection(toURL:)).first
    case .word: return words == [text] ? nil : "takes one word"
    case .words: return words.isEmpty ? "takes words, separated by blanks" : nil
    }
  }

  private static func objection(toURL text: String) -> String? {
    do throws(MalformedInput) {
      return try Deployment(url: text).isHTTP ? nil : "takes URLs that begin with https://"
    } catch {
      return "takes a URL: \(error.reason)"
    }
  }
}
