import Credentials
import FoundationEssentials
import HTTP
import OAuth
import Sessions

/// One deployment as `doctor` sees it, asked once.
final class DeploymentExamination {
  /// What the server said of itself.
  struct Server {
    /// Its version as it names it; nil for one that does not say.
    let version: String?
    /// Its clock, in Unix seconds.
    let time: Int64?
  }

  let deployment: Deployment
  let entries: [SessionEntry]
  /// Whether it may be a server of git's, with a password that is kept for it: what is locked does not
  /// tell.
  let mayBeAnotherServer: Bool
  private let command: CommandContext
  private let deadline: Int64

  init(
    _ deployment: Deployment, _ entries: [SessionEntry], isNamed: Bool, _ command: CommandContext,
    _ deadline: Int64
  ) {
    self.deployment = deployment
    self.entries = entries
    mayBeAnotherServer = !isNamed && entries.allSatisfy { $0.lock != nil }
    self.command = command
    self.deadline = deadline
  }

  /// Whether there is time left to ask.
  var hasTime: Bool { command.clock.uptimeMilliseconds < deadline }

  /// The proxy on the way, as host and port.
  private(set) lazy var proxy: Result<String?, Failure> = Result { () throws(Failure) in
    let transport = try command.settings().transport(for: deployment, command.environment)
    do throws(HTTPError) {
      return try transport.proxy(for: deployment.url)
    } catch {
      throw Failure(error, at: deployment)
    }
  }

  /// What the server says of itself at `/api/v2/buildinfo`, which asks for no token.
  private(set) lazy var server: Result<Server, Failure> = Result { () throws(Failure) in
    guard hasTime else {
      throw Failure(.retryLater, "\(deployment.url) is not asked: the others took too long")
    }
    let services = try services()
    let response: HTTPResponse
    do throws(OAuthError) {
      let url = try services.policy(deployment).api("/api/v2/buildinfo").url
      do throws(HTTPError) {
        response = try client(services).send(
          HTTPRequest(url: url, headers: [HTTPField("Accept", "application/json")]))
      } catch {
        throw OAuthError.transport(error)
      }
    } catch {
      throw Failure(error, at: deployment)
    }
    guard response.status == 200, response.isJSON,
      let build = try? JSONDecoder().decode(Build.self, from: Data(response.body))
    else {
      throw Failure(
        .fixTheServer,
        "\(deployment.url) does not answer as a Coder deployment does (HTTP \(response.status))",
        hint: "is the address right, and does the network want you to sign in first?")
    }
    return Server(
      version: build.version,
      time: response.header("Date").flatMap { HTTPDate.seconds($0, now: command.clock.now) })
  }

  /// What it says of OAuth; nil when the server could not be asked at all.
  private(set) lazy var metadata: Result<AuthorizationServerMetadata, OAuthError>? = {
    guard case .success = server, hasTime, let services = try? services() else { return nil }
    return Result { () throws(OAuthError) in
      try AuthorizationServerMetadata.discover(
        services.policy(deployment), client: client(services), now: command.clock.now)
    }
  }()

  /// Our registration there; nil when there is none, or none that can be read.
  private(set) lazy var registration: StoredRegistration? = {
    (try? command.store.registration(of: deployment)).flatMap(\.self)
  }()

  /// The sessions there that could be read, but for passwords kept for git.
  var sessions: [StoredSession] {
    entries.compactMap { entry in
      guard case .session(let session) = entry.content, session.method != .basic else { return nil }
      return session
    }
  }

  func services() throws(Failure) -> SessionServices {
    try command.services(warn: { _ in })
  }

  func client(_ services: SessionServices) -> any HTTPClient {
    services.client(deployment, .personWaits)
  }

  private struct Build: Decodable {
    let version: String
  }
}
