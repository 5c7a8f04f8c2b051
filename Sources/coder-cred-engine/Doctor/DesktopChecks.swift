/// What a sign-in in the browser needs of the desktop.
extension DoctorCheck {
  /// Which browser would open, if any.
  static var browser: DoctorCheck {
    DoctorCheck("browser") { context in
      let browser = Browser(environment: context.environment)
      if let named = context.environment["BROWSER"], browser.program == nil {
        return [
          .warning(
            "BROWSER names no program that is there: \(named)", fix: "unset BROWSER, or correct it")
        ]
      }
      guard browser.isHere else {
        let reason = browser.isRemote ? "over SSH" : "without a display"
        return [.ok("none opens \(reason): login prints the address")]
      }
      guard let program = browser.program else {
        return [
          .warning(
            "nothing is there to open one: login prints the address",
            fix: context.environment["WSL_DISTRO_NAME"] == nil
              ? "install xdg-utils" : "install wslu, which has wslview")
        ]
      }
      return [.ok("opened by \(program)")]
    }
  }

  /// Whether the desktop brings `coder-cred://` links here.
  static var links: DoctorCheck {
    DoctorCheck("coder-cred:// links") { context in
      guard let handler = LinkHandler(context.environment) else { return [] }
      let repair = Finding.Repair(
        question: "Have the desktop bring coder-cred:// links to coder-cred"
      ) {
        try handler.register()
      }
      switch handler.registered {
      case .ours: return [.ok("the desktop brings them to coder-cred")]
      case .missing(let program):
        return [
          .warning(
            "the desktop brings them to \(context.shown(program)), which is not there",
            fix: "coder-cred doctor --fix", repair: repair)
        ]
      case .none where !context.environment.isDesktop:
        return [.ok("not registered, and not needed without a desktop")]
      case .none:
        return [
          .warning(
            "not registered, so that login --redirect scheme gets no answer; login without it "
              + "does", fix: "coder-cred doctor --fix", repair: repair)
        ]
      }
    }
  }
}
