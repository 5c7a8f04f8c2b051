import ArgumentParser
import Credentials
import Glibc

/// `doctor`: why something does not work on this machine, and what helps.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Find out what is wrong on this machine, and what helps.",
    discussion: """
      Each line is ok, a warning or a failure, with what fixes it. The report holds no secret; it \
      names deployments and accounts. A token is sent to its own deployment alone, and nothing is \
      refreshed. The exit status is that of the first failure, or 0.
      """)

  @Flag(help: "Print a JSON array.")
  var json = false

  @Flag(help: "Repair what can safely be repaired, asking before each.")
  var fix = false

  mutating func validate() throws {
    guard !(json && fix) else { throw ValidationError("--fix asks, which --json does not") }
  }

  /// A line of the report.
  private struct Line: Encodable {
    let check: String
    let finding: Finding

    private enum CodingKeys: String, CodingKey {
      case check, status, message, fix
      case isRepairable = "repairable"
    }

    func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: CodingKeys.self)
      try fields.encode(check, forKey: .check)
      try fields.encode(finding.status, forKey: .status)
      try fields.encode(finding.message, forKey: .message)
      try fields.encodeIfPresent(finding.fix, forKey: .fix)
      try fields.encode(finding.repair != nil, forKey: .isRepairable)
    }

    /// As it is shown, with what comes from elsewhere cleaned.
    func text(_ columns: Int?) -> String {
      let margin = String(repeating: " ", count: 10)
      let status = finding.status.rawValue
      let message =
        status + margin.dropFirst(status.count) + "\(check): " + Terminal.clean(finding.message)
      let lines = [columns.map { LineWrapping.wrapped(message, to: $0, indent: 10) } ?? message]
      let fix = finding.fix?.utf8.split(separator: UInt8(ascii: "\n")).compactMap(String.init) ?? []
      return
        (lines
        + fix.enumerated().map { index, line in
          let text = margin + (index == 0 ? "fix: " : "     ") + Terminal.clean(line)
          return columns.map { LineWrapping.wrapped(text, to: $0, indent: 15) } ?? text
        }).map { $0 + "\n" }.joined()
    }
  }

  /// How wide the terminal is that the report goes to; nil when it goes elsewhere.
  private var columns: Int? { isatty(STDOUT_FILENO) == 0 ? nil : Terminal.size?.columns }

  func run() throws {
    if fix, !Terminal.isInteractive {
      throw Failure(
        .fixTheCall, "--fix asks before each repair, and there is no terminal to ask at",
        hint: "coder-cred doctor")
    }
    let context = DoctorContext()
    var lines: [Line] = []
    for check in DoctorCheck.all {
      for finding in check.findings(context) {
        let line = Line(check: check.name, finding: finding)
        lines.append(line)
        if !json { try Terminal.show(line.text(columns)) }
      }
    }
    if json { try Terminal.showJSON(lines) }
    if fix { lines = try repaired(lines) }
    try verdict(lines)
  }

  /// Asks and repairs, and looks again at what was repaired.
  private func repaired(_ lines: [Line]) throws -> [Line] {
    var remaining: [Line] = []
    for line in lines {
      guard let repair = line.finding.repair,
        try Terminal.ask("\(repair.question)? [y/N] ").hasPrefix("y")
      else {
        remaining.append(line)
        continue
      }
      do {
        try repair.run()
      } catch {
        guard let failure = Failure(translating: error) else { throw error }
        Terminal.warn(failure.message)
      }
      for check in DoctorCheck.all where check.name == line.check {
        for finding in check.findings(DoctorContext()) {
          let line = Line(check: check.name, finding: finding)
          try Terminal.show(line.text(columns))
          remaining.append(line)
        }
      }
    }
    let left = remaining.filter { $0.finding.status != .ok }.map(\.check)
    if !lines.contains(where: { $0.finding.repair != nil }) {
      Terminal.say("There is nothing here that --fix repairs.")
    } else if !left.isEmpty {
      Terminal.say("Not repaired: \(Self.unique(left).joined(separator: ", ")); see fix, above.")
    }
    return remaining
  }

  private static func unique(_ names: [String]) -> [String] {
    names.enumerated().filter { !names[..<$0.offset].contains($0.element) }.map(\.element)
  }

  private func verdict(_ lines: [Line]) throws(Failure) {
    let failures = lines.filter { $0.finding.status == .failure }
    guard let first = failures.first else {
      let warnings = lines.count { $0.finding.status == .warning }
      if !json {
        Terminal.say(
          "doctor found no failures"
            + (warnings == 0 ? "." : ", and \(warnings) warning\(warnings == 1 ? "" : "s")."))
      }
      return
    }
    let hasRepair = !fix && lines.contains { $0.finding.repair != nil }
    throw Failure(
      first.finding.remedy,
      "doctor found \(failures.count) \(failures.count == 1 ? "failure" : "failures"), the first one "
        + "in: \(first.check)",
      hint: hasRepair ? "coder-cred doctor --fix repairs some of it, and asks before" : nil)
  }
}
