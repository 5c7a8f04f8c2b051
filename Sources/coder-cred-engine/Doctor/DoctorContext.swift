import Credentials
import Glibc
import SecretService
import Sessions

/// What the checks of `doctor` share, each part looked at once.
final class DoctorContext {
  /// How many deployments are asked.
  static let maximumDeployments = 20
  /// How long all deployments together may take, in milliseconds.
  static let networkMilliseconds: Int64 = 60_000

  let command = CommandContext()
  var environment: Environment { command.environment }

  /// The keyring; nobody is asked anything.
  private(set) lazy var keyring: Result<SecretService, SecretServiceError> = Result {
    () throws(SecretServiceError) in
    try SecretService(prompts: .never, timeoutSeconds: 5)
  }

  /// What stands behind the alias `default`; nil when the keyring cannot be reached.
  private(set) lazy var keyringState: Result<CollectionState, SecretServiceError>? = {
    guard case .success(let service) = keyring else { return nil }
    return Result { () throws(SecretServiceError) in
      // Opens a collection without a password, or one that KWallet has open already.
      do throws(SecretServiceError) { try service.unlock() } catch .locked {
        return .locked
      } catch .noDefaultCollection { return .absent }
      return .unlocked
    }
  }()

  /// Whether the round trip through the keyring succeeded.
  var isKeyringWritable = false

  /// What is stored, as far as it can be known.
  private(set) lazy var entries: [SessionEntry] = {
    guard case .success = keyring else { return [] }
    return (try? command.store.entries(of: nil)) ?? []
  }()

  /// What a locked keyring does not tell the deployment of.
  var hidden: [SessionEntry] { entries.filter(\.isHidden) }

  /// Each deployment that somebody is signed in to, or that is meant where none is named; reached as
  /// far as it can be.
  private(set) lazy var deployments: [DeploymentExamination] = {
    let setting = (try? command.defaultDeployment()).flatMap(\.self)
    let named = try? DeploymentChoice.named(nil, setting: setting) { environment[$0] }
    let namedURL = named.flatMap(\.self)?.url
    let stored = entries.filter { !$0.isKeptForGit && !$0.isHidden }.map(\.deployment)
    let urls = Set(stored + [namedURL].compactMap(\.self)).sorted()
    let deadline = command.clock.uptimeMilliseconds + Self.networkMilliseconds
    return urls.prefix(Self.maximumDeployments).compactMap { try? Deployment(url: $0) }
      .filter(\.isHTTP)
      .map { deployment in
        DeploymentExamination(
          deployment, entries.filter { $0.deployment == deployment.url },
          isNamed: deployment.url == namedURL, command, deadline)
      }
  }()

  /// A path as it is shown: the person's home, which holds their name, shortened.
  func shown(_ path: String) -> String {
    guard let home = environment.directory("HOME"), home != "/", path.hasPrefix(home + "/") else {
      return path
    }
    return "~" + path.dropFirst(home.count)
  }

  /// A path as a shell takes it; the home shortened, too.
  func shellWord(_ path: String) -> String {
    let shown = shown(path)
    return shown == path ? path.shellWord : "~/" + String(shown.dropFirst(2)).shellWord
  }

  /// The first bytes of a small file, as text; nil when it cannot be read.
  func contents(of path: String, limit: Int = 4096) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = read(file, &bytes, limit)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  /// Runs another program to its end and returns what it wrote; nil when it is not there, fails, or
  /// takes longer than five seconds.
  func output(_ program: String, _ arguments: [String], limit: Int = 65_536) -> String? {
    guard let path = ChildProgram.executable(named: program, environment) else { return nil }
    return ChildProgram(
      executable: path, words: [program] + arguments, variables: environment.variables
    ).output(milliseconds: 5000, limit: limit)
  }
}
