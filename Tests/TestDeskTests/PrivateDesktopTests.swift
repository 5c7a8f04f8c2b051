import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `A private desktop` {
  @Test func `leaves nothing when it is torn down`() throws {
    let desktop = try PrivateDesktop()
    let keyring = try #require(desktop.secretService)
    let other = try desktop.start("sleep", ["60"])
    #expect(other.exit == nil)
    desktop.tearDown()
    desktop.tearDown()
    #expect(keyring.exit != nil)
    #expect(other.exit == .signal(SIGTERM))
    #expect(!FileManager.default.fileExists(atPath: desktop.directory))
  }

  // Exit tests take values from Swift 6.3 on.
  #if compiler(>=6.3)
    @Test func `leaves nothing when the test process dies`() async throws {
      let note: String = "/tmp/cc-note-\(UUID().uuidString)"
      defer { try? FileManager.default.removeItem(atPath: note) }
      await #expect(processExitsWith: .signal(SIGKILL)) { [note = note as String] in
        let desktop = try PrivateDesktop()
        let keyring = try #require(desktop.secretService)
        try Data("\(keyring.pid) \(desktop.directory)".utf8).write(to: URL(fileURLWithPath: note))
        kill(getpid(), SIGKILL)
      }
      let words = try String(contentsOfFile: note, encoding: .utf8).split(separator: " ")
      let pid = try #require(words.first.flatMap { Int32($0) })
      let directory = String(try #require(words.last))
      waitFor("the end of pid \(pid) and of \(directory)") {
        !FileManager.default.fileExists(atPath: directory) && !isRunning(pid)
      }
    }
  #endif

  /// A zombie that nobody reaps in a container counts as gone.
  private func isRunning(_ pid: Int32) -> Bool {
    guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
      return false
    }
    return !status.contains(") Z ")
  }

  @Test func `has a clean environment, a closed directory and a short socket path`() throws {
    let desktop = try PrivateDesktop(.withoutBus)
    #expect(desktop.environment["DISPLAY"] == nil)
    #expect(desktop.environment["HOME"] == "\(desktop.directory)/home")
    #expect(desktop.directory.utf8.count + "/run/keyring/control".utf8.count < 107)
    let mode = try FileManager.default.attributesOfItem(atPath: desktop.directory)
    #expect(mode[.posixPermissions] as? Int == 0o700)
  }

  @Test func `shows what its keyring holds, and changes a secret and nothing else`() throws {
    let desktop = try PrivateDesktop()
    try desktop.storeAsOtherApplication(#"{"a":"b"}"#, label: "Label", ["n": "1"])
    try desktop.storeAsOtherApplication("other", ["n": "2"])
    let item = try desktop.item(["n": "1"])
    #expect(item.label == "Label" && item["a"] == "b")
    try desktop.change(item, "a", to: "c")
    let changed = try desktop.item(["n": "1"])
    #expect(changed["a"] == "c")
    #expect(changed.label == item.label && changed.attributes == item.attributes)
    #expect(try desktop.items().map(\.secret) == [#"{"a":"c"}"#, "other"])
  }

  @Test func `starts any program as its Secret Service, and says when that does not start`() throws
  {
    let keyring = ExternalSecretService("a keyring") { desktop in
      try desktop.start(
        "gnome-keyring-daemon", ["--foreground", "--components=secrets", "--unlock"],
        input: Array("password".utf8))
    }
    let desktop = try PrivateDesktop(.external(keyring))
    try desktop.storeAsOtherApplication("secret", ["n": "1"])
    #expect(try desktop.item(["n": "1"]).secret == "secret")
    let broken = ExternalSecretService("broken") { try $0.start("sh", ["-c", "echo why; exit 1"]) }
    let failure = #expect(throws: PrivateDesktop.Failure.self) {
      try PrivateDesktop(.external(broken))
    }
    #expect(failure?.description.hasPrefix("broken did not start: ") == true)
    #expect(failure?.description.hasSuffix("why\n") == true)
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `is closed to another user, unless that is let in`() throws {
    let desktop = try PrivateDesktop(.withoutBus)
    let path = "\(desktop.directory)/run"
    let identity = try desktop.runAsOtherUser("id", ["-u"])
    #expect(identity.stdout == "\(OtherUser.id)\n", "\(identity.stderr)")
    #expect(try desktop.runAsOtherUser("ls", [path]).status != 0)
    try desktop.admitOtherUser(to: path)
    #expect(try desktop.runAsOtherUser("touch", ["\(path)/theirs"]).status == 0)
    let owner = try FileManager.default.attributesOfItem(atPath: "\(path)/theirs")
    #expect(owner[.ownerAccountID] as? UInt32 == OtherUser.id)
    #expect(try desktop.runAsOtherUser("ls", ["\(desktop.directory)/home"]).status != 0)
  }
}
