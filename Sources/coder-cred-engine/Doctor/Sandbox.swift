import Secrets

/// Where a program lives that does not see the whole machine.
enum Sandbox {
  case flatpak(id: String)
  case snap(name: String)
  case windowsSubsystem
  case container(engine: String)
  case bubblewrap

  /// The one we are in; nil for none that is known.
  init?(_ context: DoctorContext) {
    let environment = context.environment
    if let id = environment["FLATPAK_ID"] {
      self = .flatpak(id: id)
    } else if let name = environment["SNAP_NAME"] {
      self = .snap(name: name)
    } else if environment["WSL_DISTRO_NAME"] != nil {
      self = .windowsSubsystem
    } else if context.contents(of: "/proc/1/comm") == "bwrap\n" {
      self = .bubblewrap
    } else if let engine = environment["container"] {
      self = engine == "flatpak" ? .flatpak(id: "ID") : .container(engine: engine)
    } else if context.contents(of: "/run/.containerenv") != nil {
      self = .container(engine: "podman")
    } else if context.contents(of: "/.dockerenv") != nil {
      self = .container(engine: "docker")
    } else {
      return nil
    }
  }

  /// What people call it.
  var name: String {
    switch self {
    case .flatpak: "Flatpak"
    case .snap(let name): "the snap \(ForeignText.label(name))"
    case .windowsSubsystem: "Windows' subsystem for Linux"
    case .container(let engine): "a container (\(ForeignText.label(engine)))"
    case .bubblewrap: "a sandbox of bubblewrap"
    }
  }

  /// What lets it reach the keyring of the desktop.
  var wayToKeyring: String {
    switch self {
    case .flatpak(let id):
      "flatpak override --user --talk-name=org.freedesktop.secrets \(ForeignText.label(id))"
    case .snap(let name):
      "snap connect \(ForeignText.label(name)):password-manager-service"
    case .windowsSubsystem: Headless.recipe
    case .container:
      "start the container with the desktop's bus: -v $XDG_RUNTIME_DIR/bus:/run/bus "
        + "-e DBUS_SESSION_BUS_ADDRESS=unix:path=/run/bus, as the same user; or, inside:\n"
        + Headless.recipe
    case .bubblewrap:
      "bwrap --bind \"$XDG_RUNTIME_DIR/bus\" \"$XDG_RUNTIME_DIR/bus\" …, with --setenv "
        + "XDG_RUNTIME_DIR"
    }
  }
}

/// What to do where there is no desktop.
enum Headless {
  /// A bus and a keyring for one command; tested as it stands here.
  static let recipe =
    KeyringAdvice.headlessCommand
    + "\n(coder-cred(1), MACHINES WITHOUT A DESKTOP, has it for services and for ssh)"
}

extension DoctorCheck {
  /// A sandbox, or another user's shoes, and what follows.
  static var sandbox: DoctorCheck {
    DoctorCheck("sandbox") { context in
      if Environment.userID == 0, let user = context.environment["SUDO_USER"], user != "root" {
        return [
          .warning(
            "run with sudo: this is root's keyring, not \(ForeignText.label(user))'s",
            fix: "run coder-cred as yourself, without sudo")
        ]
      }
      guard let sandbox = Sandbox(context) else { return [.ok("none")] }
      guard case .success = context.keyring else {
        return [
          .warning(
            "\(sandbox.name), in which the desktop's keyring is not reached",
            fix: sandbox.wayToKeyring)
        ]
      }
      return [.ok("\(sandbox.name); a keyring is reached in it")]
    }
  }
}
