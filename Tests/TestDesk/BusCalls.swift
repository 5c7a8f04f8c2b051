import Foundation
import Testing

extension PrivateDesktop {
  /// How often each method was called on this desktop's bus while `body` ran, whoever called whom.
  package func busCalls(during body: () throws -> Void) throws -> [String: Int] {
    let log = "\(directory)/bus.log"
    try Data().write(to: URL(fileURLWithPath: log))
    let monitor = try start(
      "/usr/bin/dbus-monitor", ["--session", "type='method_call'"], log: log)
    defer { end(monitor) }
    func text() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
    waitFor("the monitor") { !text().isEmpty }
    try body()
    // The bus shows messages in their order: with this one, all before it.
    let last = "io.github.coder_cred.Test.Last"
    _ = try run(
      "dbus-send", ["--session", "--type=method_call", "--dest=org.freedesktop.DBus", "/", last])
    waitFor("the last call") { text().contains("member=Last") }
    var counts: [String: Int] = [:]
    for line in text().split(separator: "\n") {
      guard let range = line.range(of: "member=") else { continue }
      counts[String(line[range.upperBound...]), default: 0] += 1
    }
    return counts
  }
}
