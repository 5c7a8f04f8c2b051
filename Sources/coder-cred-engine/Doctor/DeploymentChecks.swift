import Credentials
import OAuth
import SecretService
import Secrets
import Sessions

/// Each deployment: whether it is reached, what kind it is, and whether it still knows us.
extension DoctorCheck {
  /// The proxy of everything, if the environment names one: whether anything answers there.
  static var proxy: DoctorCheck {
    DoctorCheck("proxy") { context in
      let advice = ProxyAdvice(context.environment)
      guard let proxy = advice.common else { return [] }
      let name = "\(proxy.variable) names \(ForeignText.label(proxy.address))"
      guard let silence = advice.silence else { return [.ok(name)] }
      return [
        .warning(
          "\(name), where nothing answers: \(silence)",
          fix: "unset \(proxy.variable), or correct it")
      ]
    }
  }

  /// The way to the server: name, proxy, TLS, and whether it is a Coder deployment.
  static var server: DoctorCheck {
    DoctorCheck("server") { context in
      guard !context.deployments.isEmpty else {
        // What a locked keyring hides may be a session; there is a line on that.
        guard case .success(.unlocked) = context.keyringState, context.hidden.isEmpty else {
          return []
        }
        return [.warning("nobody is signed in to any deployment", fix: "coder-cred login URL")]
      }
      return context.deployments.compactMap { examined in
        do throws(Failure) {
          let proxy = try examined.proxy.get()
          let server = try examined.server.get()
          let version = server.version.map { ", Coder \(ForeignText.label($0))" } ?? ""
          let way = proxy.map { ", through the proxy \(ForeignText.label($0))" } ?? ""
          return .ok(examined.deployment.url + version + way)
        } catch {
          if examined.mayBeAnotherServer { return nil }
          var finding = Finding.failure(
            error,
            orFix: "check the address, the network, and HTTPS_PROXY and NO_PROXY")
          if let proxy = try? examined.proxy.get() {
            finding = finding.mentioning(proxy: proxy)
          }
          return finding
        }
      }
    }
  }

  /// This machine's clock against each server's.
  static var clock: DoctorCheck {
    DoctorCheck("clock") { context in
      context.deployments.compactMap { examined in
        guard let server = try? examined.server.get(), let time = server.time else { return nil }
        let ahead = context.command.clock.now.subtractingReportingOverflow(time).partialValue
        guard ahead.magnitude > 60 else { return .ok("as \(examined.deployment.url) has it") }
        return .warning(
          "it is \(ahead.magnitude) s \(ahead > 0 ? "ahead of" : "behind") that of "
            + examined.deployment.url, fix: "sudo timedatectl set-ntp true")
      }
    }
  }

  /// What the server offers of OAuth, and what follows.
  static var oauth: DoctorCheck {
    DoctorCheck("OAuth") { context in
      context.deployments.compactMap { examined in
        guard let metadata = examined.metadata else { return nil }
        let place = examined.deployment.url
        do throws(OAuthError) {
          let offered = try metadata.get()
          if offered.registrationEndpoint == nil, examined.registration == nil {
            return .warning(
              "\(place) does not let programs register themselves",
              fix: "ask its owner to run: coder oauth2-provider dcr enable; or use --client-id, or "
                + "--method token")
          }
          return .ok(place + consequence(of: try? examined.server.get()))
        } catch .notOffered {
          return .warning(
            "\(place) offers none: people sign in with a session token, which nothing renews",
            fix: "ask its owner to set CODER_OAUTH2_PROVIDER_ENABLE=true (Coder 2.38 and later)")
        } catch {
          return .failure(Failure(error, at: examined.deployment), orFix: statusOf(examined))
        }
      }
    }
  }

  /// What a server of before 2.38 does differently.
  private static func consequence(of server: DeploymentExamination.Server?) -> String {
    let numbers = (server?.version ?? "").utf8.drop { $0 == UInt8(ascii: "v") }
      .split { !(0x30...0x39).contains($0) }.prefix(2).compactMap { Int(String($0) ?? "") }
    guard numbers.count == 2, (numbers[0], numbers[1]) < (2, 38) else { return "" }
    return ", a version before 2.38: sign in with the same --port each time"
  }

  /// Whether each server still knows this machine's client (RFC 7592).
  static var client: DoctorCheck {
    DoctorCheck("client") { context in
      context.deployments.compactMap { examined in
        // The answer may bring another management token, which must be kept.
        guard let registration = examined.registration, case .success = examined.server,
          context.isKeyringWritable, examined.hasTime
        else { return nil }
        let place = examined.deployment.url
        guard registration.isDynamic else {
          return .ok("\(place): \(ForeignText.label(registration.clientID)), made by hand")
        }
        do {
          return try status(of: registration, examined, context)
        } catch {
          return Failure(translating: error).map { .failure($0, orFix: statusOf(examined)) }
        }
      }
    }
  }

  private static func status(
    of registration: StoredRegistration, _ examined: DeploymentExamination, _ context: DoctorContext
  ) throws -> Finding {
    let deployment = examined.deployment
    let services = try examined.services()
    let policy: EndpointPolicy
    do throws(OAuthError) { policy = try services.policy(deployment) } catch {
      return .failure(Failure(error, at: deployment), orFix: statusOf(examined))
    }
    let status = registration.information.status(
      tokenEndpoint: registration.tokenEndpoint, policy: policy, client: examined.client(services),
      now: services.clock.now)
    switch status {
    case .registered(let current, _):
      if current != registration.information {
        var changed = registration
        changed.information = current
        try services.store.save(changed)
      }
      return .ok("\(deployment.url) knows this machine's")
    case .gone:
      return .failure(
        "\(deployment.url) no longer knows this machine's: its sessions end",
        fix: "coder-cred login \(deployment.url)", .signInAgain)
    case .unknown(let error):
      let reason = error.map { ": \(Failure($0, at: deployment).message)" } ?? ""
      return .warning(
        "\(deployment.url) does not say whether it knows this machine's\(reason)",
        fix: "ask again later: coder-cred doctor")
    }
  }

  /// Where to look closer.
  private static func statusOf(_ examined: DeploymentExamination) -> String {
    "coder-cred status --check \(examined.deployment.url)"
  }

  /// Each session, as it is and as its deployment sees it.
  static var session: DoctorCheck {
    DoctorCheck("session") { context in
      context.deployments.flatMap { examined in
        examined.entries.compactMap { entry in finding(of: entry, examined, context) }
      } + hidden(context)
    }
  }

  /// Each keyring beside the default one that is locked and hides of what it has of ours whose it is.
  private static func hidden(_ context: DoctorContext) -> [Finding] {
    // A keyring that is locked as a whole has been reported.
    guard case .success(.unlocked) = context.keyringState else { return [] }
    var findings: [Finding] = []
    for failure in context.hidden.compactMap(\.lock).map({ Failure($0) })
    where !findings.contains(where: { $0.message == failure.message }) {
      findings.append(.failure(failure, orFix: "unlock it in your keyring application"))
    }
    return findings
  }

  private static func finding(
    of entry: SessionEntry, _ examined: DeploymentExamination, _ context: DoctorContext
  ) -> Finding? {
    let place = examined.deployment.url
    let who = entry.account.isEmpty ? place : "\(ForeignText.label(entry.account)) at \(place)"
    let flag = entry.account.isEmpty ? "" : Failure.flag(account: entry.account)
    let (login, refresh) = (
      "coder-cred login \(place)\(flag)", "coder-cred refresh \(place)\(flag)"
    )
    switch entry.content {
    case .locked:
      // A keyring that is locked as a whole has been reported; an item of its own is not.
      guard case .success(.unlocked) = context.keyringState else { return nil }
      do throws(StoreError) {
        _ = try context.command.store.sessions(of: examined.deployment, account: entry.account)
        return nil
      } catch {
        return .failure(Failure(error), orFix: statusOf(examined))
      }
    case .lost:
      return .failure("\(who): the keyring has lost it", fix: login, .signInAgain)
    case .unreadable(let error):
      return .failure(
        "\(who): the item is not ours to use: \(error.reason)",
        fix: "coder-cred logout \(place) --force, or remove it in your keyring application",
        .fixTheInput)
    case .session(let session) where session.method == .basic: return nil
    case .session(let session):
      let isRenewed = session.method == .oauth && session.refreshToken != nil
      guard isRenewed || session.isAlive(now: context.command.clock.now) else {
        return .failure("\(who): it has ended", fix: login, .signInAgain)
      }
      guard case .success = examined.server, examined.hasTime,
        let api = try? examined.services().api(of: session.deployment)
      else { return nil }
      switch api.check(session.accessToken) {
      case .works: return .ok("\(who): its token works")
      case .rejected where isRenewed && session.isExpiring(now: context.command.clock.now):
        return .ok("\(who): its token is renewed at its next use")
      case .rejected where isRenewed:
        // Else whoever asks next would get it.
        try? examined.services().noteRejection(of: session)
        return .warning(
          "\(who): \(place) refuses its token; the next use tries to renew it",
          fix: refresh)
      case .rejected:
        return .failure("\(who): \(place) does not accept its token", fix: login, .signInAgain)
      case .unclear(let status):
        return .warning(
          "\(who): its token may not ask who it is (HTTP \(status))", fix: login)
      case .noResponse(let reason):
        return .failure(Failure(reason, at: examined.deployment), orFix: statusOf(examined))
      }
    }
  }
}

extension Finding {
  /// With the proxy on the way, which may be what fails.
  fileprivate func mentioning(proxy: String?) -> Finding {
    guard let proxy else { return self }
    return Finding(
      status: status, message: "\(message) (through the proxy \(ForeignText.label(proxy)))",
      fix: fix ?? "check HTTPS_PROXY and NO_PROXY", remedy: remedy, repair: repair)
  }
}
