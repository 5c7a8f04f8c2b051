import Credentials

/// Something in a settings file that is not read, or not as it was meant.
struct SettingsObjection: Equatable {
  /// What it is and what would be right, as a sentence without a full stop.
  let message: String
  /// Whether commands that need the setting fail for it.
  let isError: Bool
  /// The command that takes it out; nil where only the file can be corrected.
  var removal: String?
}

/// What is written in a settings file against what is read of it.
extension Settings {
  /// Everything that is not read, or not as it was meant, in the order of the file.
  func objections() -> [SettingsObjection] {
    var objections: [SettingsObjection] = []
    for group in Set(entries.map(\.group)).sorted() {
      if let objection = Self.objection(toGroup: group) { objections.append(objection) }
    }
    for entry in entries where Self.objection(toGroup: entry.group) == nil {
      guard var objection = Self.objection(to: entry) else { continue }
      objection.removal = Self.removal(of: entry)
      objections.append(objection)
    }
    return objections
  }

  /// The command that removes a setting; nil for a key that a shell would not take as it is.
  static func removal(of entry: Entry) -> String? {
    let isPlain = { (text: String) in
      text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "-._:/".utf8.contains(byte)
        }
      }
    }
    let url = entry.group == commonGroup ? nil : unescaped(entry.group)
    guard isPlain(entry.key), isPlain(url ?? "") else { return nil }
    return "coder-cred config unset \(url.map { "--url \($0) " } ?? "")\(entry.key)"
  }

  /// What to say of a key that nobody knows.
  static func unknownKey(_ name: String) -> String {
    let nearest = SettingKey.nearest(to: name).map { "; do you mean \($0.name)?" } ?? ""
    return "there is no setting “\(name)”\(nearest)"
  }

  private static func objection(toGroup group: String) -> SettingsObjection? {
    guard group != commonGroup else { return nil }
    let url = unescaped(group)
    guard let deployment = try? Deployment(url: url), deployment.isHTTP else {
      return SettingsObjection(
        message: "[\(group)] is not read: a group is [\(commonGroup)] or a deployment's URL",
        isError: false)
    }
    let right = self.group(of: deployment)
    guard right != group else { return nil }
    return SettingsObjection(message: "[\(group)] is not read: write [\(right)]", isError: false)
  }

  private static func objection(to entry: Entry) -> SettingsObjection? {
    let name = entry.key
    guard let key = SettingKey.named(name) else {
      return SettingsObjection(message: "[\(entry.group)] \(unknownKey(name))", isError: false)
    }
    let isCommon = entry.group == commonGroup
    switch key.place {
    case .common where !isCommon:
      return SettingsObjection(
        message: "[\(entry.group)] \(name) is not read: it belongs into [\(commonGroup)]",
        isError: false)
    case .deployment where isCommon:
      return SettingsObjection(
        message: "[\(entry.group)] \(name) is not read: it belongs into a deployment's group",
        isError: false)
    default: break
    }
    return key.objection(to: entry.value).map {
      SettingsObjection(message: "[\(entry.group)] \(name) \($0)", isError: true)
    }
  }

  private static func unescaped(_ group: String) -> String {
    group.replacing("%5B", with: "[").replacing("%5D", with: "]")
  }
}
