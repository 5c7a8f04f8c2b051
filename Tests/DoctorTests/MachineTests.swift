import DeploymentSimulator
import Foundation
import TestDesk
import Testing

@Suite(.blocking) struct `doctor on the machine` {
  @Test func `finds that tools do not find coder-cred, or find another one first`() throws {
    try Desk.with { desk in
      try desk.doctor().expect("programs", "ok", saying: "coder-cred 0.")
      let missing = try desk.doctor(environment: desk.path()).expect(
        "programs", "warning", saying: "no directory in PATH", fix: "export PATH=")
      try desk.doctor(after: missing.fix ?? "", environment: desk.path()).expect(
        "programs", "ok", saying: "coder-cred 0.")
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

  @Test func `finds that the full program is alone, until coder-cred is beside it`() throws {
    try Desk.with { desk in
      let folder = "\(desk.directory)/bin"
      let copied = try desk.desktop.run(
        "/bin/sh", ["-c", "mkdir \"$0\" && cp \"$1\" \"$0\"", folder, desk.fullProgram])
      try #require(copied.status == 0)
      let alone = "\(folder)/coder-cred-engine"
      let report = try desk.doctor(program: alone)
      try report.expect(
        "programs", "failure", saying: "not beside coder-cred", fix: "install coder-cred again")
      #expect(report.result.status == 70)
      let mended = try desk.desktop.run("/bin/cp", [desk.program, folder])
      try #require(mended.status == 0)
      try desk.doctor(program: alone, environment: desk.path(folder)).expect("programs", "ok")
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

  @Test func `finds a runtime directory that cannot be used`() throws {
    try Desk.with { desk in
      try desk.doctor().expect(
        "runtime directory", "ok", saying: "\(desk.directory)/run/coder-cred")
      let open = "\(desk.directory)/open"
      try FileManager.default.createDirectory(atPath: open, withIntermediateDirectories: true)
      chmod(open, 0o777)
      try desk.doctor(environment: ["XDG_RUNTIME_DIR": open]).expect(
        "runtime directory", "warning", saying: "not yours alone", fix: "export XDG_RUNTIME_DIR=")
      try desk.doctor(environment: ["XDG_RUNTIME_DIR": "\(desk.directory)/gone"]).expect(
        "runtime directory", "warning", saying: "/gone, which is not there")
      let own = "\(desk.directory)/run/coder-cred"
      chmod(own, 0o777)
      let found = try desk.doctor().expect(
        "runtime directory", "failure", saying: "others may write")
      #expect(found.isRepairable)
      try desk.repair("Let nobody else write to ")
      try desk.doctor().expect("runtime directory", "ok")
    }
  }

  @Test func `finds that there is nowhere to meet, until there is`() throws {
    try Desk.with { desk in
      // Nothing can be made where a file is.
      try desk.write("", to: "\(desk.directory)/file")
      let nowhere = [
        "XDG_RUNTIME_DIR": "\(desk.directory)/none", "XDG_STATE_HOME": "\(desk.directory)/file",
      ]
      let report = try desk.doctor(environment: nowhere)
      try report.expect(
        "runtime directory", "failure", saying: "no runtime directory of our own",
        fix: "set XDG_RUNTIME_DIR to a directory that belongs to you")
      #expect(report.result.status == 75)
      var mended = nowhere
      mended["XDG_RUNTIME_DIR"] = "\(desk.directory)/run"
      try desk.doctor(environment: mended).expect("runtime directory", "ok")
    }
  }

  @Test(.enabled(if: OwnRoot.isAvailable, "no mounts in user namespaces here"))
  func `finds that XDG_RUNTIME_DIR is not set, where the usual directory is and where not`() throws
  {
    try Desk.with { desk in
      let unset = "unset XDG_RUNTIME_DIR\ncoder-cred doctor --json"
      let usual = "mkdir -p run/user/0; chmod 700 run/user/0"
      try desk.doctorInOwnRoot(make: usual, shell: unset).expect(
        "runtime directory", "ok",
        saying: "/run/user/0/coder-cred, although XDG_RUNTIME_DIR is not set")
      let found = try desk.doctorInOwnRoot(shell: unset).expect(
        "runtime directory", "warning", saying: "XDG_RUNTIME_DIR is not set: processes meet in ",
        fix: "loginctl enable-linger\nexport XDG_RUNTIME_DIR=/run/user/0")
      let export = try #require(found.fix?.split(separator: "\n").last)
      // Lingering makes the directory, which the variable then names.
      try desk.doctorInOwnRoot(make: usual, shell: "\(export)\ncoder-cred doctor --json").expect(
        "runtime directory", "ok", saying: "/run/user/0/coder-cred")
    }
  }

  @Test(
    .enabled(if: OwnRoot.isAvailable, "no mounts in user namespaces here"),
    arguments: [("docker", "/.dockerenv"), ("podman", "/run/.containerenv")])
  func `says that it is in a container, by the file that tells it`(engine: String, file: String)
    throws
  {
    try Desk.with { desk in
      try desk.doctorInOwnRoot().expect("sandbox", "ok", saying: "none")
      let mark = "touch .\(file)"
      try desk.doctorInOwnRoot(make: mark).expect(
        "sandbox", "ok", saying: "a container (\(engine)); a keyring is reached in it")
      let without = ["DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"]
      try desk.doctorInOwnRoot(make: mark, environment: without).expect(
        "sandbox", "warning", saying: "a container (\(engine)), in which the desktop's keyring",
        fix: "-v $XDG_RUNTIME_DIR/bus:/run/bus")
      // As the line says: the desktop's bus is brought into it.
      try desk.doctorInOwnRoot(
        make: "\(mark); ln -s \(desk.directory)/bus run/bus",
        environment: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"]
      ).expect("sandbox", "ok", saying: "a keyring is reached in it")
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
      // By a child: a program that this process holds open to write cannot be run.
      let copied = try desk.desktop.run("cp", ["--dereference", "/bin/sh", first])
      try #require(copied.status == 0, "\(copied.stderr)")
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
      for (variables, program, fix) in [
        ([:], "xdg-open", "install xdg-utils"),
        (["WSL_DISTRO_NAME": "Debian"], "wslview", "install wslu"),
      ] {
        let display = variables.merging(["DISPLAY": ":77"]) { $1 }
        let none = try display.merging(["PATH": desk.install()]) { $1 }
        try desk.doctor(environment: none).expect(
          "browser", "warning", saying: "login prints the address", fix: fix)
        let tools = "\(desk.directory)/\(program)"
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        try desk.script("exit 0", at: "\(tools)/\(program)")
        let mended = try display.merging(["PATH": "\(desk.install()):\(tools)"]) { $1 }
        try desk.doctor(environment: mended).expect("browser", "ok", saying: "opened by \(program)")
      }
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
