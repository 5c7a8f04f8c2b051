/// What one check of `doctor` found: a line of its report.
struct Finding {
  /// How bad it is.
  enum Status: String, Encodable {
    /// As it should be.
    case ok
    /// Something does without it, or will fail some day.
    case warning
    /// Something fails because of it.
    case failure
  }

  /// Something that `doctor --fix` can do about it.
  struct Repair {
    /// What would be done, as a question without its question mark.
    let question: String
    let run: () throws -> Void
  }

  let status: Status
  /// What was found, in a sentence without a full stop, free of secrets.
  let message: String
  /// What helps: a command where there is one; of several lines where it takes them.
  var fix: String?
  /// The exit status for a failure is this remedy's.
  var remedy = Failure.Remedy.fixTheCall
  var repair: Repair?

  static func ok(_ message: String) -> Finding {
    Finding(status: .ok, message: message)
  }

  static func warning(_ message: String, fix: String? = nil, repair: Repair? = nil) -> Finding {
    Finding(status: .warning, message: message, fix: fix, repair: repair)
  }

  static func failure(
    _ message: String, fix: String? = nil, _ remedy: Failure.Remedy = .fixTheCall,
    repair: Repair? = nil
  ) -> Finding {
    Finding(status: .failure, message: message, fix: fix, remedy: remedy, repair: repair)
  }

  /// What a command would fail with; `fix` is for one that has no hint.
  static func failure(_ failure: Failure, orFix fix: String) -> Finding {
    Finding(
      status: .failure, message: failure.message, fix: failure.hint ?? fix,
      remedy: failure.remedy)
  }
}

/// One thing that `doctor` looks at.
struct DoctorCheck {
  /// What it is called in the report.
  let name: String
  /// Looks; what needs something that is missing finds nothing, for that is said already.
  let findings: (DoctorContext) -> [Finding]

  init(_ name: String, _ findings: @escaping (DoctorContext) -> [Finding]) {
    self.name = name
    self.findings = findings
  }

  /// Every check, in the order of the report.
  static var all: [DoctorCheck] {
    [
      system, programs, settings, runtimeDirectory, sandbox, sessionBus, secretService, keyring,
      roundTrip, browser, links, timer, git, coderCLI, proxy, server, clock, oauth, client, session,
    ]
  }
}
