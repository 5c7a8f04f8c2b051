import Credentials
import Glibc
import Secrets
import Sessions

/// The machine, and how coder-cred is installed on it.
extension DoctorCheck {
  /// What a bug report begins with.
  static var system: DoctorCheck {
    DoctorCheck("system") { context in
      let name =
        context.contents(of: "/etc/os-release").flatMap { release in
          release.utf8.split(separator: UInt8(ascii: "\n")).compactMap(String.init)
            .first { $0.hasPrefix("PRETTY_NAME=") }?
            .dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }
        } ?? "Linux"
      var names = utsname()
      uname(&names)
      return [
        .ok(
          "\(ForeignText.label(name)), \(text(&names.sysname)) \(text(&names.release)), "
            + "\(text(&names.machine)); coder-cred \(Version.number)")
      ]
    }
  }

  private static func text<Characters>(_ field: inout Characters) -> String {
    withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Both programs, whether tools find them, and whether they find others.
  static var programs: DoctorCheck {
    DoctorCheck("programs") { context in
      guard let installation = Installation() else {
        return [
          .failure(
            "the full program runs, but not beside coder-cred", fix: "install coder-cred again",
            .reportIt)
        ]
      }
      var findings: [Finding] = []
      for path in installation.paths where FileAccess.isOpenToOthers(path) {
        findings.append(
          .failure(
            "another user may change \(context.shown(path))",
            fix: "chmod go-w \(context.shellWord(path)), or chown it to yourself", .reportIt))
      }
      let found = installation.named(in: context.environment)
      if let first = found.first {
        if first.identity != installation.identity {
          findings.append(
            .warning(
              "tools find \(context.shown(first.path)) (\(version(of: first.path, context))) before "
                + "this \(context.shown(installation.fastPath)) (\(Version.number))",
              fix: "remove the one you do not want, or change the order in PATH"))
        } else if let other = found.dropFirst().first {
          findings.append(
            .warning(
              "two are installed: \(context.shown(first.path)) (\(Version.number)) and "
                + "\(context.shown(other.path)) (\(version(of: other.path, context)))",
              fix: "remove the one you do not want"))
        }
      } else {
        let folder = installation.directory.shellWord
        findings.append(
          .warning(
            "no directory in PATH holds coder-cred, so that git and other tools do not find it",
            fix: "export PATH=\(folder):$PATH"))
      }
      return findings.isEmpty
        ? [.ok("coder-cred \(Version.number) in \(context.shown(installation.directory))")]
        : findings
    }
  }

  private static func version(of path: String, _ context: DoctorContext) -> String {
    let words = context.output(path, ["--version"], limit: 200)?.utf8
      .split { $0 == 0x20 || $0 == 0x0A }.compactMap(String.init)
    return words.flatMap { $0.last }.map { ForeignText.label($0) } ?? "it does not run"
  }

  /// The settings file: whether it is read, and whether what it says is.
  static var settings: DoctorCheck {
    DoctorCheck("settings") { context in
      let path = Settings.path(context.environment) ?? ""
      let settings: Settings
      do throws(Failure) { settings = try context.command.settings() } catch {
        var finding = Finding.failure(error, orFix: "correct \(context.shown(path)); coder-cred(5)")
        if FileAccess.isOursButOpen(path) {
          finding.fix = "chmod go-w \(context.shellWord(path))"
          finding.repair = Finding.Repair(
            question: "Let nobody else write to \(context.shown(path))"
          ) {
            try FileAccess.close(path)
          }
        }
        return [finding]
      }
      var findings = settings.objections().map { objection in
        let fix = objection.removal ?? "correct \(context.shown(path)); coder-cred(5)"
        return objection.isError
          ? Finding.failure(objection.message, fix: fix)
          : Finding.warning(objection.message, fix: fix)
      }
      for entry in settings.entries where SettingKey.named(entry.key)?.isFile ?? false {
        guard access(entry.value, R_OK) != 0 else { continue }
        findings.append(
          .failure(
            "[\(entry.group)] \(entry.key): \(context.shown(entry.value)) cannot be read: "
              + String(cString: strerror(errno)),
            fix: Settings.removal(of: entry) ?? "name a file that is there"))
      }
      guard findings.isEmpty else { return findings }
      let count = settings.entries.count
      return [.ok(count == 0 ? "none" : "\(count) in \(context.shown(path))")]
    }
  }

  /// Where processes meet.
  static var runtimeDirectory: DoctorCheck {
    DoctorCheck("runtime directory") { context in
      let named = context.environment.directory("XDG_RUNTIME_DIR")
      if let own = named.map({ "\($0)/coder-cred" }), FileAccess.isOursButOpen(own) {
        return [
          .failure(
            "others may write to \(own)", fix: "chmod go-w \(context.shellWord(own))",
            repair: Finding.Repair(question: "Let nobody else write to \(own)") {
              try FileAccess.close(own)
            })
        ]
      }
      let path: String
      do throws(SessionError) { path = try context.command.directory.path() } catch {
        return [
          .failure(Failure(error), orFix: "export XDG_RUNTIME_DIR=/run/user/\(Environment.userID)")
        ]
      }
      let usual = "/run/user/\(Environment.userID)"
      if let named, path.hasPrefix(named + "/") { return [.ok(path)] }
      if named == nil, path.hasPrefix(usual + "/") {
        return [.ok("\(path), although XDG_RUNTIME_DIR is not set")]
      }
      let reason =
        switch named {
        case nil: "XDG_RUNTIME_DIR is not set"
        case let named? where access(named, F_OK) != 0:
          "XDG_RUNTIME_DIR names \(context.shown(named)), which is not there"
        default: "XDG_RUNTIME_DIR is not yours alone"
        }
      return [
        .warning(
          "\(reason): processes meet in \(context.shown(path)) instead",
          fix: "loginctl enable-linger\nexport XDG_RUNTIME_DIR=\(usual)")
      ]
    }
  }
}

extension SettingKey {
  /// Whether the value is a file's path.
  fileprivate var isFile: Bool { if case .file = value { true } else { false } }
}
