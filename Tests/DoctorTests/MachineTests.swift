import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor on the machine` {
  @Test func `finds that tools do not find coder-cred, or find another one first`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("programs", "ok", saying: "coder-cred 0.")
      let missing = try desk.doctor(environment: desk.path())
      try missing.expect("programs", "warning", saying: "no directory in PATH", fix: "export PATH=")
      let other = "\(desk.directory)/other"
      try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
      try desk.script("echo coder-cred 0.0.9", at: "\(other)/coder-cred")
      let before = try desk.doctor(environment: desk.path(other, desk.install()))
      try before.expect("programs", "warning", saying: "(0.0.9) before this", fix: "remove")
      let after = try desk.doctor(environment: desk.path(desk.install(), other))
      try after.expect("programs", "warning", saying: "two are installed", fix: "remove")
      try FileManager.default.removeItem(atPath: "\(other)/coder-cred")
      try desk.doctor(environment: desk.path(other, desk.install())).expect("programs", "ok")
    }
  }

  @Test func `finds that others may change the programs`() throws {
    try Desk.with { desk in
      let folder = "\(desk.directory)/bin"
      let copied = try desk.desktop.run(
        "/bin/sh",
        ["-c", "mkdir \"$0\" && cp \"$1\" \"$2\" \"$0\"", folder, desk.program, desk.fullProgram])
      try #require(copied.status == 0)
      let program = "\(folder)/coder-cred"
      try desk.doctor(program: program, environment: desk.path(folder)).expect("programs", "ok")
      chmod(folder, 0o777)
      let report = try desk.doctor(program: program, environment: desk.path(folder))
      try report.expect("programs", "failure", saying: "another user may change", fix: "chmod go-w")
      chmod(folder, 0o755)
      try desk.doctor(program: program, environment: desk.path(folder)).expect("programs", "ok")
    }
  }

  @Test func `finds what is wrong with the settings`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("settings", "ok", saying: "none")
      try desk.configure("nonsense")
      let broken = try desk.doctor()
      try broken.expect("settings", "failure", saying: "line 2: ")
      #expect(broken.result.status == 64)
      try desk.configure("refresh-marign=5")
      let typo = try desk.doctor().expect(
        "settings", "warning", saying: "do you mean refresh-margin?")
      #expect(typo.fix == "coder-cred config unset refresh-marign")
      let fix = try desk.run(
        "/bin/sh", ["-c", typo.fix ?? ""], environment: desk.path(desk.install()))
      #expect(fix.status == 0, "\(fix.stderr)")
      try desk.doctor().expect("settings", "ok")
      try desk.write("[https://dev.example.com]\nrefresh-margin=x\n", to: desk.configuration)
      try desk.doctor().expect(
        "settings", "failure",
        fix: "coder-cred config unset --url https://dev.example.com refresh-margin")
      try desk.configure("refresh-margin=soon")
      try desk.doctor().expect("settings", "failure", saying: "takes a number")
      try desk.configure("ca-file=/nowhere/ca.pem")
      try desk.doctor().expect(
        "settings", "failure", saying: "/nowhere/ca.pem cannot be read",
        fix: "coder-cred config unset ca-file")
      expectSilence(try desk.run(["config", "unset", "ca-file"]))
      try desk.doctor().expect("settings", "ok")
      expectSilence(try desk.run(["config", "set", "refresh-margin", "5"]))
      try desk.doctor().expect("settings", "ok", saying: "1 in ")
    }
  }

  @Test func `closes a settings file that others may write to, once asked`() throws {
    try Desk.with { desk in
      try desk.configure("refresh-margin=5")
      chmod(desk.configuration, 0o666)
      let open = try desk.doctor().expect("settings", "failure", saying: "other users may write")
      #expect(open.isRepairable)
      try desk.repair("Let nobody else write to ")
      try desk.doctor().expect("settings", "ok", saying: "1 in ")
      let manners = try FileManager.default.attributesOfItem(atPath: desk.configuration)
      #expect(manners[.posixPermissions] as? Int == 0o644)
    }
  }

  @Test func `finds a runtime directory that cannot be used`() throws {
    try Desk.with { desk in
      try desk.doctor().expect(
        "runtime directory", "ok", saying: "\(desk.directory)/run/coder-cred")
      let open = "\(desk.directory)/open"
      try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: true)
      chmod(open, 0o777)
      try desk.doctor(environment: ["XDG_RUNTIME_DIR": open]).expect(
        "runtime directory", "warning", saying: "not yours alone", fix: "export XDG_RUNTIME_DIR=")
      let own = "\(desk.directory)/run/coder-cred"
      chmod(own, 0o777)
      let found = try desk.doctor().expect(
        "runtime directory", "failure", saying: "others may write")
      #expect(found.isRepairable)
      try desk.repair("Let nobody else write to ")
      try desk.doctor().expect("runtime directory", "ok")
    }
  }

  @Test(arguments: [
    (["container": "podman"], "a container (podman)", "-v $XDG_RUNTIME_DIR/bus"),
    (["FLATPAK_ID": "org.example.App"], "Flatpak", "flatpak override --user --talk-name"),
    (["SNAP_NAME": "tool"], "the snap tool", "snap connect tool:password-manager-service"),
    (["WSL_DISTRO_NAME": "Debian"], "Windows' subsystem for Linux", "dbus-run-session"),
  ])
  func `says that it is in a sandbox, and how the keyring gets into it`(
    variables: [String: String], name: String, fix: String
  ) throws {
    try Desk.with { desk in
      try desk.doctor(environment: variables).expect(
        "sandbox", "ok", saying: "\(name); a keyring is reached in it")
    }
    try Desk.with(.withoutService) { desk in
      let report = try desk.doctor(environment: variables)
      try report.expect("sandbox", "warning", saying: name, fix: fix)
      try report.expect("Secret Service", "failure", fix: "see sandbox")
    }
  }

  private static let hasUserNamespaces =
    (try? ChildProcess.run(
      "/usr/bin/unshare", ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "true"],
      environment: [:]))?.status == 0

  @Test(.enabled(if: hasUserNamespaces, "no user namespaces here"))
  func `says that it is in a sandbox of bubblewrap, by its first process`() throws {
    try Desk.with { desk in
      let first = "\(desk.directory)/bwrap"
      try FileManager.default.copyItem(
        atPath: URL(fileURLWithPath: "/bin/sh").resolvingSymlinksInPath().path, toPath: first)
      for (address, status) in [(desk.desktop.busAddress, "ok"), ("unix:path=/nowhere", "warning")]
      {
        let inside = try desk.run(
          "unshare",
          [
            "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", first, "-c",
            "\"$0\" doctor; exit 0", desk.program,
          ], environment: ["DBUS_SESSION_BUS_ADDRESS": address])
        let line = inside.lines.first { $0.contains("sandbox: a sandbox of bubblewrap") }
        #expect(line?.hasPrefix(status) == true, "\(inside.stdout)")
      }
    }
  }

  @Test(.enabled(if: OtherUser.isAvailable, OtherUser.reason))
  func `says whose keyring it is with sudo`() throws {
    try Desk.with { desk in
      try desk.doctor(environment: ["SUDO_USER": "alice"]).expect(
        "sandbox", "warning", saying: "not alice's", fix: "without sudo")
      let line = try #require(try desk.doctor()["sandbox"].first)
      #expect(line.status == "ok" && !line.message.contains("root"), "\(line)")
    }
  }

  @Test func `finds a browser that is not there`() throws {
    try Desk.with { desk in
      try desk.doctor(environment: ["BROWSER": "/nowhere/firefox %s"]).expect(
        "browser", "warning", saying: "BROWSER names no program", fix: "unset BROWSER")
      try desk.doctor(environment: desk.browser()).expect("browser", "ok", saying: "opened by")
      try desk.doctor(environment: ["SSH_CONNECTION": "a 1 b 2"]).expect(
        "browser", "ok", saying: "over SSH")
      try desk.doctor().expect("browser", "ok", saying: "without a display")
      let none = ["DISPLAY": ":77", "PATH": try desk.install()]
      try desk.doctor(environment: none).expect("browser", "warning", fix: "install xdg-utils")
    }
  }

  @Test func `registers for coder-cred:// links, once asked, and finds a handler that is gone`()
    throws
  {
    try Desk.with { desk in
      try desk.doctor().expect("coder-cred:// links", "ok", saying: "not registered")
      let display = ["DISPLAY": ":77"]
      let found = try desk.doctor(environment: display).expect(
        "coder-cred:// links", "warning", saying: "not registered", fix: "doctor --fix")
      #expect(found.isRepairable)
      let associations = "\(desk.directory)/config/mimeapps.list"
      try desk.write("# mine\n[Default Applications]\ntext/plain=vim.desktop\n", to: associations)
      try desk.repair("bring coder-cred:// links", environment: display)
      try desk.doctor(environment: display).expect(
        "coder-cred:// links", "ok", saying: "brings them to coder-cred")
      let kept = try String(contentsOfFile: associations, encoding: .utf8)
      #expect(kept.hasPrefix("# mine\n") && kept.contains("text/plain=vim.desktop\n"))
      // What the desktop itself would run.
      let launched = try desk.run("gio", ["mime", "x-scheme-handler/coder-cred"])
      #expect(launched.stdout.contains("coder-cred.desktop"), "\(launched.stderr)")

      let file = "\(desk.directory)/data/applications/coder-cred.desktop"
      let entry = try String(contentsOfFile: file, encoding: .utf8)
      try desk.write(entry.replacing(desk.program, with: "/nowhere/coder-cred"), to: file)
      try desk.doctor(environment: display).expect(
        "coder-cred:// links", "warning", saying: "/nowhere/coder-cred, which is not there")
      try desk.repair("bring coder-cred:// links", environment: display)
      try desk.doctor(environment: display).expect("coder-cred:// links", "ok")
    }
  }
}
