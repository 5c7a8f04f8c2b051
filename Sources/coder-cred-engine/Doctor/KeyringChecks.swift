import SecretService
import Secrets
import Sessions

/// The way to the keyring, step by step; each step looks only if the ones before it were good.
extension DoctorCheck {
  /// The bus of the session.
  static var sessionBus: DoctorCheck {
    DoctorCheck("session bus") { context in
      if case .failure(let error) = context.keyring {
        switch error {
        case .noBus:
          return [.keyring(error).advising(context)]
        case .busUnreachable, .foreignBus: return [.keyring(error)]
        default: break
        }
      }
      let address =
        context.environment["DBUS_SESSION_BUS_ADDRESS"] ?? "the one in XDG_RUNTIME_DIR"
      return [.ok(ForeignText.label(address))]
    }
  }

  /// The program behind `org.freedesktop.secrets`.
  static var secretService: DoctorCheck {
    DoctorCheck("Secret Service") { context in
      do throws(SecretServiceError) {
        let service = try context.keyring.get().description()
        guard let name = service.name else { return [.ok("one that is not known here")] }
        let habit = service.searchAsksToUnlock ? ", which asks to unlock when it is searched" : ""
        return [.ok(name + habit)]
      } catch {
        switch error {
        case .noBus, .busUnreachable, .foreignBus: return []
        case .noService: return [.keyring(error).advising(context)]
        default: return [.keyring(error)]
        }
      }
    }
  }

  /// The default keyring: there, open, and kept under a password.
  static var keyring: DoctorCheck {
    DoctorCheck("keyring") { context in
      guard let state = context.keyringState, case .success(let service) = context.keyring else {
        return []
      }
      do throws(SecretServiceError) {
        switch try state.get() {
        case .absent: return [.keyring(.noDefaultCollection)]
        case .locked: return [locked(by: try? service.description().name, context)]
        case .unlocked: break
        }
        let description = try service.description()
        if service.hasCollectionWithoutPassword || isTextFile(description, context) {
          return [
            .warning(
              "it has no password: what it keeps can be read in the files of your home directory",
              fix: "in Seahorse (Passwords and Keys): right-click the keyring, Change Password")
          ]
        }
        if description.name == "KeePassXC", keePassXCConfirms(context) {
          return [
            .warning(
              "KeePassXC asks before it hands out an item, for which most commands cannot wait",
              fix: Failure(.confirmationRequired(item: "", service: "KeePassXC")).hint)
          ]
        }
        return [.ok("unlocked")]
      } catch {
        return [.keyring(error)]
      }
    }
  }

  /// A locked keyring, with the way to open it that its service has.
  private static func locked(by service: String?, _ context: DoctorContext) -> Finding {
    var finding = Finding.keyring(.locked(collection: nil))
    finding.fix = KeyringAdvice.unlocking(service, context.environment)
    guard context.environment.isDesktop else { return finding }
    finding.repair = Finding.Repair(question: "Have the keyring ask for its password") {
      try context.command.store.unlock()
    }
    return finding
  }

  /// Whether gnome-keyring keeps its default collection as text, which it does without a password.
  private static func isTextFile(_ service: ServiceDescription, _ context: DoctorContext) -> Bool {
    guard service.name == "gnome-keyring",
      let data = context.environment.directory("XDG_DATA_HOME", below: ".local/share"),
      let name = context.contents(of: "\(data)/keyrings/default", limit: 256)
    else { return false }
    let file = String(name.utf8.prefix { $0 != 0x0A }) ?? ""
    guard !file.utf8.contains(UInt8(ascii: "/")) else { return false }
    // What follows is the keyring itself, and none of our business.
    return context.contents(of: "\(data)/keyrings/\(file).keyring", limit: 9) == "[keyring]"
  }

  /// Whether KeePassXC confirms each access, which is its default; by its settings, because it hands
  /// out an item to whoever made it without a question.
  private static func keePassXCConfirms(_ context: DoctorContext) -> Bool {
    guard let config = context.environment.directory("XDG_CONFIG_HOME", below: ".config"),
      let text = context.contents(of: "\(config)/keepassxc/keepassxc.ini", limit: 65_536)
    else { return false }
    let lines = text.utf8.split { $0 == 0x0A || $0 == 0x0D }.compactMap(String.init)
    let group = lines.drop { $0 != "[FdoSecrets]" }.dropFirst().prefix { !$0.hasPrefix("[") }
    return !group.contains("ConfirmAccessItem=false")
  }

  /// An item stored, read and removed.
  static var roundTrip: DoctorCheck {
    DoctorCheck("keyring round trip") { context in
      guard case .success(.unlocked) = context.keyringState,
        case .success(let service) = context.keyring
      else { return [] }
      let start = context.command.clock.uptimeMilliseconds
      var left: Probe.Left?
      do throws(SecretServiceError) {
        // Other doctors may remove the item while this one reads it, each time anew.
        var attempts = 20
        while true {
          do throws(SecretServiceError) {
            left = try Probe.run(on: service)
            break
          } catch .noSuchItem where attempts > 1 {
            attempts -= 1
          }
        }
      } catch {
        var finding = Finding.keyring(error)
        finding.remedy = .unlock
        return [finding]
      }
      context.isKeyringWritable = true
      if let left {
        return [
          .warning(
            "\(left.service) asks before it removes an item, so that “\(Probe.label)” stays, and "
              + "that it may ask before it hands one out, for which no command can wait",
            fix:
              "remove it there, and allow both without a question; in KeePassXC: Tools > Settings > "
              + "Secret Service Integration")
        ]
      }
      let took = context.command.clock.uptimeMilliseconds - start
      return [.ok("an item was stored, read and removed in \(took) ms")]
    }
  }
}

/// An item that says nothing, to see whether the keyring keeps one.
private enum Probe {
  private static let attributes: Attributes = ["application": "coder-cred", "kind": "probe"]
  static let label = "coder-cred doctor's probe (can be removed)"
  /// The same each time, so that two doctors at once do not see each other's.
  private static let content = Secret("probe")

  /// An item that could not be removed, because nobody may be asked.
  struct Left {
    /// Who would have asked.
    let service: String
  }

  /// KeePassXC wants a prompt for each removal, also where it is set to ask nobody: that one completes
  /// at once, or on a busy machine after seconds.
  private static func removes(_ item: Item, from service: SecretService) -> Bool {
    service.prompts = .ask(timeoutSeconds: 8, onWait: { _ in })
    defer { service.prompts = .never }
    do throws(SecretServiceError) { try service.delete(item) } catch { return error == .noSuchItem }
    return true
  }

  /// - Returns: what is left of it.
  static func run(on service: SecretService) throws(SecretServiceError) -> Left? {
    try service.store(content, label: label, attributes: attributes)
    let found = try service.search(attributes).filter {
      $0.attributes == attributes && $0.schema == SecretService.schema
    }
    guard let first = found.first else { throw .noSuchItem }
    guard try service.secret(of: first) == content else {
      throw .failed(reason: "an item that was just stored holds something else")
    }
    // Two doctors that store at once may make two items, of which both find the same one first.
    for item in found {
      do throws(SecretServiceError) { try service.delete(item) } catch .confirmationRequired(
        _, let name)
      {
        guard removes(item, from: service) else { return Left(service: name ?? "the keyring") }
      } catch .noSuchItem {}
    }
    return nil
  }
}

extension Finding {
  /// Why the keyring does not do what it is asked.
  fileprivate static func keyring(_ error: SecretServiceError) -> Finding {
    .failure(Failure(error), orFix: "restart the keyring's service, or log in anew")
  }

  /// With what helps where there is no desktop, or in a sandbox.
  fileprivate func advising(_ context: DoctorContext) -> Finding {
    var finding = self
    if Sandbox(context) != nil {
      finding.fix = "see sandbox, above"
    } else if !context.environment.isDesktop {
      let own = fix?.replacing("; without a desktop: \(KeyringAdvice.headlessCommand)", with: "")
      finding.fix = [own, Headless.recipe].compactMap(\.self).joined(separator: "\n")
    }
    return finding
  }
}
