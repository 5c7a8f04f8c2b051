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

    /// As it is shown, with what comes from elsewhere cleaned; on a terminal in lines that fit, but for
    /// commands, which are to be pasted.
    func text(_ style: TerminalStyle?) -> String {
      let margin = String(repeating: " ", count: 10)
      let status = finding.status.rawValue
      let message = "\(check): " + Terminal.clean(finding.message)
      let lines = Self.lines(message, style, margin)
      let fix = finding.fix?.utf8.split(separator: UInt8(ascii: "\n")).compactMap(String.init) ?? []
      let shownStatus = style?.text(status, finding.status.attention) ?? status
      let shown = lines.enumerated().map { index, line -> String in
        (index == 0 ? shownStatus + margin.dropFirst(status.count) : margin) + line
      }
      let shownFix = fix.flatMap { Self.lines(Terminal.clean($0), style, margin + "     ") }
        .enumerated().map { index, line -> String in
          margin + (index == 0 ? "fix: " : "     ") + line
        }
      return (shown + shownFix).map { $0 + "\n" }.joined()
    }

    /// A text in the lines that a terminal has room for beside a margin; one line elsewhere.
    private static func lines(
      _ text: String, _ style: TerminalStyle?, _ margin: String
    ) -> [String] {
      guard let columns = style?.columns else { return [text] }
      return LineWrapping.wrapped(text, to: max(columns - margin.count, 20)).utf8
        .split(separator: UInt8(ascii: "\n")).compactMap(String.init)
    }
  }

  func run() throws {
    if fix, !Terminal.isInteractive {
      throw Failure(
        .fixTheCall, "--fix asks before each repair, and there is no terminal to ask at",
        hint: "coder-cred doctor")
    }
    let context = DoctorContext()
    let style = TerminalStyle(of: STDOUT_FILENO, context.environment)
    var lines: [Line] = []
    for check in DoctorCheck.all {
      for finding in check.findings(context) {
        let line = Line(check: check.name, finding: finding)
        lines.append(line)
        if !json { try Terminal.show(line.text(style)) }
      }
    }
    if json { try Terminal.showJSON(lines) }
    if fix { lines = try repaired(lines, style) }
    try verdict(lines)
  }

  /// Asks and repairs, and looks again at what was repaired.
  private func repaired(_ lines: [Line], _ style: TerminalStyle?) throws -> [Line] {
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
          try Terminal.show(line.text(style))
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
      hint: hasRepair ? "coder-cred doctor --fix repairs some of it, and asks before each" : nil)
  }
}

extension Finding.Status {
  /// What it is to a person who reads the report.
  fileprivate var attention: TerminalStyle.Attention? {
    switch self {
    case .ok: nil
    case .warning: .worthKnowing
    case .failure: .needed
    }
  }
}
