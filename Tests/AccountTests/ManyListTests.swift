import Foundation
import TestDesk
import Testing

/// Lists of a thousand sessions.
@Suite(.blocking) struct `A long list` {
  /// What the Secret Service is asked by a command, counted by the bus.
  private func calls(_ desk: Desk, _ arguments: [String]) throws -> [String: Int] {
    let log = "\(desk.directory)/bus.log"
    try Data().write(to: URL(fileURLWithPath: log))
    let monitor = try desk.desktop.start(
      "/usr/bin/dbus-monitor", ["--session", "type='method_call'"], log: log)
    waitFor("the monitor") { !((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").isEmpty }
    let result = try desk.run(arguments)
    #expect(result.status == 0, "\(result.stderr)")
    // One more call that is surely seen after the others.
    _ = try desk.run(["list", "--json"])
    monitor.end(within: 5)
    let text = try String(contentsOfFile: log, encoding: .utf8)
    var counts: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      guard let range = line.range(of: "member=") else { continue }
      counts[String(line[range.upperBound...]), default: 0] += 1
    }
    return counts
  }

  @Test
  func `A session costs one call for its properties, and a sixty-fourth of one for its secret`()
    throws
  {
    try Desk.with(.plaintext) { desk in
      try desk.run(["store"], input: "protocol=https\nhost=h0.example\nusername=u\npassword=p\n")
      let few = try calls(desk, ["list"])
      let file = "\(desk.desktop.keyrings)/Default_keyring.keyring"
      desk.desktop.stopKeyring()
      var text = try String(contentsOfFile: file, encoding: .utf8)
      let template = try #require(text.range(of: "[1]")).lowerBound
      let item = String(text[template...])
      for number in 2...300 {
        text +=
          "\n"
          + item.replacing("[1", with: "[\(number)")
          .replacing("h0.example", with: "h\(number).example")
      }
      try text.write(toFile: file, atomically: false, encoding: .utf8)
      try desk.desktop.restartKeyring()
      let rows = try desk.run(["list", "--json"]).rows()
      #expect(rows.count == 300)
      #expect(rows.allSatisfy { $0["state"] as? String == "valid" })
      let many = try calls(desk, ["list"])
      // Both runs of list: one read of its properties for each session.
      let added = many["GetAll", default: 0] - few["GetAll", default: 0]
      #expect(added == 2 * 299, "\(few) \(many)")
      #expect(many["GetSecrets", default: 0] == 2 * 5 && many["GetSecret", default: 0] == 0)
      #expect(many["AddMatch", default: 0] == few["AddMatch", default: 0], "\(few) \(many)")
    }
  }
}
