import Foundation
import TestDesk
import Testing

/// A line of `doctor --json`.
struct ReportLine {
  let check: String
  let status: String
  let message: String
  let fix: String?
  let isRepairable: Bool
}

/// What `doctor` said, and how it ended.
struct Report {
  let lines: [ReportLine]
  let result: CommandResult

  /// Reads what `doctor --json` printed; its status must be that of a failure where there is one.
  init(_ result: CommandResult, sourceLocation: SourceLocation = #_sourceLocation) throws {
    self.result = result
    lines = try result.rows(sourceLocation: sourceLocation).map { row in
      ReportLine(
        check: row["check"] as? String ?? "", status: row["status"] as? String ?? "",
        message: row["message"] as? String ?? "", fix: row["fix"] as? String,
        isRepairable: row["repairable"] as? Bool ?? false)
    }
    let failures = lines.count { $0.status == "failure" }
    #expect((failures == 0) == (result.status == 0), "\(lines)", sourceLocation: sourceLocation)
  }

  /// The lines of a check.
  subscript(_ check: String) -> [ReportLine] { lines.filter { $0.check == check } }

  /// The one line of a check, expected to have a status.
  @discardableResult
  func expect(
    _ check: String, _ status: String, saying words: String = "", fix: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> ReportLine {
    let found = self[check]
    try #require(
      found.count == 1,
      "\(check) has \(found.count) lines: \(lines.map(\.message)) \(result.stderr)",
      sourceLocation: sourceLocation)
    let line = found[0]
    #expect(
      line.status == status && (words.isEmpty || line.message.contains(words)), "\(line)",
      sourceLocation: sourceLocation)
    if let fix {
      #expect(line.fix?.contains(fix) == true, "\(line)", sourceLocation: sourceLocation)
    }
    #expect((line.fix == nil) == (status == "ok"), "\(line)", sourceLocation: sourceLocation)
    return line
  }
}

extension Desk {
  /// A directory for `PATH` in which the programs are installed as people install them.
  func install() throws -> String {
    let folder = "\(directory)/installed"
    if !FileManager.default.fileExists(atPath: folder) {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      for name in ["coder-cred", "git-credential-coder-cred"] {
        try FileManager.default.createSymbolicLink(
          atPath: "\(folder)/\(name)", withDestinationPath: program)
      }
    }
    return folder
  }

  /// `PATH` with some directories before the system's.
  func path(_ folders: String...) -> [String: String] {
    ["PATH": (folders + [desktop.environment["PATH"] ?? ""]).joined(separator: ":")]
  }

  /// Runs `doctor --json`.
  func doctor(
    program: String? = nil, environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Report {
    let variables = try path(install()).merging(environment) { $1 }
    let result =
      if let program {
        try run(program, ["doctor", "--json"], environment: variables)
      } else {
        try run(
          ["doctor", "--json"], environment: variables, sourceLocation: sourceLocation)
      }
    return try Report(result, sourceLocation: sourceLocation)
  }

  /// Runs what a line says that helps, as somebody would who pastes it, and then `doctor --json`.
  func doctor(
    after fix: String, environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Report {
    let variables = try path(install()).merging(environment) { $1 }
    return try Report(
      run(
        "/bin/sh", ["-c", "\(fix)\nexec coder-cred doctor --json"], environment: variables,
        sourceLocation: sourceLocation), sourceLocation: sourceLocation)
  }

  /// Runs a command as cron does, with little of the environment besides the desk's bus.
  func runAsCron(_ command: String) throws -> CommandResult {
    try ChildProcess.run(
      "/bin/sh", ["-c", command],
      environment: [
        "PATH": "/usr/bin:/bin", "HOME": "\(directory)/home",
        "DBUS_SESSION_BUS_ADDRESS": desktop.busAddress,
      ])
  }

  /// Runs `doctor --fix` on a terminal and says yes to the repair that is asked with these words;
  /// `meanwhile` does what a person does for it.
  func repair(
    _ question: String, environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation, meanwhile: () throws -> Void = {}
  ) throws {
    let variables = try path(install()).merging(environment) { $1 }
    try withTerminal(["doctor", "--fix"], environment: variables, sourceLocation: sourceLocation) {
      terminal in
      while true {
        let before = try terminal.expect("? [y/N] ", sourceLocation: sourceLocation)
        let isMeant = before.contains(question)
        terminal.type(isMeant ? "y" : "n")
        if isMeant { break }
      }
      try meanwhile()
      // Whatever else is asked is declined.
      for _ in 1...8 { terminal.type("n") }
      _ = terminal.end(sourceLocation: sourceLocation)
    }
  }
}
