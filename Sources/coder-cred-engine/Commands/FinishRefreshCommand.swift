import ArgumentParser
import Credentials
import Glibc
import Secrets
import Sessions

/// What a process that waits for a refresh starts to do it; not for people to run.
///
/// Standard input brings the request, standard output takes the outcome, and descriptor 3 is the
/// locked file (``DetachedRefresh``).
struct FinishRefreshCommand: ParsableCommand {
  static let verb = "finish-refresh"

  static let configuration = CommandConfiguration(
    commandName: verb, abstract: "Refresh the session that standard input names.",
    shouldDisplay: false)

  private static let lockDescriptor: Int32 = 3

  func run() throws {
    guard fcntl(Self.lockDescriptor, F_SETFD, FD_CLOEXEC) == 0,
      let (seen, reason) = RefreshMessage.request(Self.readRequest())
    else { throw Failure(.fixTheCall, "\(Self.verb) is not for people to run") }
    let context = CommandContext()
    // KeePassXC has each process confirmed anew, whatever it allowed the one that waits.
    if reason == .command { context.store.allowPrompts() }
    let report = OutcomeReport()
    var services = try context.services(
      lock: context.lock(on: InheritedLock(descriptor: Self.lockDescriptor)),
      warn: { report.warn($0.message) })
    services.handOver = { report.finish(.success($0)) }
    do {
      report.finish(
        .success(try SessionRefresh(services: services).refresh(seen, because: reason)))
    } catch {
      guard let failure = Failure(translating: error) else { throw error }
      report.finish(.failure(failure))
    }
  }

  private static func readRequest() -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while bytes.count <= RefreshMessage.maximumBytes {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += chunk[..<count]
    }
    return bytes
  }
}

/// Tells whoever waits what came of a refresh, once.
private final class OutcomeReport {
  private var warnings: [String] = []
  private var isFinished = false

  func warn(_ message: String) { warnings.append(message) }

  func finish(_ result: Result<StoredSession, Failure>) {
    guard !isFinished else { return }
    isFinished = true
    let lines = (try? RefreshMessage.outcome(result, warnings: warnings)) ?? []
    for line in lines {
      // Nobody may be waiting any more.
      guard writeSecret(line, to: STDOUT_FILENO), writeText("\n", to: STDOUT_FILENO) else { break }
    }
    // Whoever waits reads to the end, and we may have something left to do.
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    if null >= 0 {
      dup2(null, STDOUT_FILENO)
      close(null)
    }
  }
}
