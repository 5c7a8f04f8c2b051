import Foundation
package import Testing

/// KeePassXC as the Secret Service.
package struct KeePassXC: Sendable {
  /// Whether the database is open.
  var isOpen = true
  /// Whether a group of the database is exposed as a collection.
  var exposesGroup = true
  /// Whether each access is to be confirmed, which is its default, and each deletion for good.
  var confirms = false
  /// Whether also a move to its recycle bin is to be confirmed, which is not its default.
  var confirmsRecycling = false
  /// Whether its windows are shown on a display; it runs without one otherwise.
  var hasDisplay = false

  /// Starts it in this state, which is by default the easiest for clients, and not its default.
  package init(
    isOpen: Bool = true, exposesGroup: Bool = true, confirms: Bool = false,
    confirmsRecycling: Bool = false, hasDisplay: Bool = false
  ) {
    (self.isOpen, self.exposesGroup) = (isOpen, exposesGroup)
    (self.confirms, self.confirmsRecycling) = (confirms, confirmsRecycling)
    self.hasDisplay = hasDisplay
  }

  /// For ``PrivateDesktop``.
  package var provider: SecretServiceProvider {
    .external(
      ExternalSecretService("KeePassXC", isReady: { isReady($0) }, start: { try start(on: $0) }))
  }

  private func start(on desktop: PrivateDesktop) throws -> ChildProcess {
    let database = "\(desktop.directory)/home/passwords.kdbx"
    try write(Self.content(exposesGroup), "\(desktop.directory)/passwords.xml")
    let made = try desktop.run(
      "keepassxc-cli",
      ["import", "--quiet", "-p", "-t", "100", "\(desktop.directory)/passwords.xml", database],
      input: Array("\(desktop.password)\n\(desktop.password)\n".utf8))
    guard made.status == 0 else { throw PrivateDesktop.Failure("keepassxc-cli: \(made.stderr)") }
    let folder = "\(desktop.directory)/config/keepassxc"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try write(settings, "\(folder)/keepassxc.ini")
    return try open(database, on: desktop)
  }

  /// Starts it anew over the files of one that was killed, and waits until it is ready.
  package func restart(_ desktop: PrivateDesktop) throws {
    let daemon = try open("\(desktop.directory)/home/passwords.kdbx", on: desktop)
    desktop.secretService = daemon
    try desktop.waitUntilReady("KeePassXC", daemon) { isReady(desktop) }
  }

  private func open(_ database: String, on desktop: PrivateDesktop) throws -> ChildProcess {
    if hasDisplay, VirtualDisplay(of: desktop) == nil { _ = try VirtualDisplay(on: desktop) }
    return try desktop.start(
      "keepassxc", (isOpen ? ["--pw-stdin"] : []) + [database],
      input: isOpen ? Array("\(desktop.password)\n".utf8) : [],
      environment: ["TMPDIR": "\(desktop.directory)/run"].merging(desktop.qtPlatform) { $1 })
  }

  private func isReady(_ desktop: PrivateDesktop) -> Bool {
    let service = "org.freedesktop.Secret.Service"
    guard exposesGroup else {
      // It ends when it is asked for the alias while it opens a database, and nothing tells when one
      // that is not exposed is open.
      let collections = try? desktop.call(
        "org.freedesktop.DBus.Properties.Get", [service, "Collections"])
      guard collections != nil, let process = desktop.secretService?.pid else { return false }
      return Self.isIdle(process)
    }
    guard let path = try? desktop.defaultCollection(), path != "/" else { return false }
    // The database opens a moment after the service is there.
    let locked = try? desktop.call(
      "org.freedesktop.DBus.Properties.Get", ["org.freedesktop.Secret.Collection", "Locked"],
      path: path)
    return locked?.contains(isOpen ? "false" : "true") ?? false
  }

  /// Whether no thread of a process ran, or wanted to, at thirty looks, 50 ms apart.
  private static func isIdle(_ process: Int32) -> Bool {
    (0..<30).allSatisfy { _ in
      usleep(50_000)
      let tasks = "/proc/\(process)/task"
      let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
      return !threads.isEmpty
        && threads.allSatisfy { thread in
          let stat = FileManager.default.contents(atPath: "\(tasks)/\(thread)/stat") ?? Data()
          // proc(5): the state follows the name, which stands in parentheses.
          return String(decoding: stat, as: UTF8.self).split(separator: ")").last?.hasPrefix(" S")
            ?? false
        }
    }
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private var settings: String {
    """
    [General]
    ConfigVersion=2
    UpdateCheckMessageShown=true
    AutoSaveAfterEveryChange=true
    [GUI]
    CheckForUpdates=false
    [FdoSecrets]
    Enabled=true
    ShowNotification=false
    ConfirmAccessItem=\(confirms)
    ConfirmDeleteItem=\(confirms)
    UnlockBeforeSearch=true
    [Security]
    NoConfirmMoveEntryToRecycleBin=\(!confirmsRecycling)

    """
  }

  /// A database with one group, in KeePass's XML.
  private static func content(_ exposesGroup: Bool) -> String {
    let group = "{11111111-2222-3333-4444-555555555555}"
    let exposed =
      exposesGroup
      ? "<Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>\(group)</Value></Item>" : ""
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <KeePassFile>
        <Meta><Generator>KeePassXC</Generator><DatabaseName>Passwords</DatabaseName>
          <RecycleBinEnabled>True</RecycleBinEnabled><CustomData>\(exposed)</CustomData></Meta>
        <Root><Group><UUID>ERERESIiMzNERFVVVVVVVQ==</UUID><Name>Root</Name><IconID>48</IconID>
          <IsExpanded>True</IsExpanded></Group></Root>
      </KeePassFile>
      """
  }
}

/// KeePassXC's windows, beside its main window.
extension VirtualDisplay {
  /// What the titles of those that ask something hold.
  private static let questions = ["Access Request", "Unlock", "Delete", "Move"]

  /// The titles of those that ask something.
  package func questions() throws -> [String] { try windows().filter(Self.isQuestion) }

  /// Whether a window of this title asks something.
  package static func isQuestion(_ title: String) -> Bool {
    questions.contains(where: title.contains)
  }

  /// Answers whatever is asked until a program ends, two minutes at most: by the
  /// key for its title, which is Return for yes.
  ///
  /// - Returns: the titles of the windows that were answered, one for each key.
  @discardableResult
  package func answer(
    until program: ChildProcess, _ key: (String) -> String = { _ in "Return" },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [String] {
    var answered: [String] = []
    // A key that comes too early is lost; one that comes twice may be meant for the next window.
    var lastKeys: [String: Deadline] = [:]
    try waitFor("the program's end", timeoutSeconds: 120, sourceLocation: sourceLocation) {
      for title in try questions() where program.exit == nil {
        guard let window = try window(title), lastKeys[window]?.hasPassed != false else { continue }
        lastKeys[window] = Deadline(seconds: 3)
        try type("", key: key(title), into: window, attempts: 1)
        answered.append(title)
      }
      return program.exit != nil
    }
    return answered
  }
}
