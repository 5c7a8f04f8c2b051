import Credentials
import Glibc
import HTTP
import OAuth
import Sessions

/// One request of `api`, and what comes of it: the body goes to standard output while it arrives.
struct APICall {
  let context: CommandContext
  let method: String
  let path: String
  let fields: [HTTPField]
  let body: APIBody?

  /// Sends it with a session's token; the bodies of the statuses withheld are kept back, for they
  /// may be followed by another attempt.
  func send(as session: StoredSession, withholding withheld: Set<Int>) throws(Failure) -> APIAnswer
  {
    let settings = try context.settings()
    var transport = settings.transport(
      for: session.deployment, context.environment)
    transport.maximumBodyBytes = .max
    // A download may take its time, as long as it does not stand still.
    transport.totalTimeoutMilliseconds = 86_400_000
    transport.idleTimeoutMilliseconds = 120_000
    let endpoint: TrustedEndpoint
    do throws(OAuthError) {
      endpoint = try settings.endpointPolicy(of: session.deployment).api(path)
    } catch {
      throw Failure(.fixTheCall, "the path could lead out of \(session.deployment.url)")
    }
    let request = endpoint.request(method, bearer: session.accessToken, headers: fields)
    let output = APIOutput(withheld)
    do throws(HTTPError) {
      let response = try CurlClient(settings: transport).stream(request, body?.upload) {
        output.take($1, of: $0)
      }
      context.trace("\(request) answered \(response)")
      return APIAnswer(
        status: response.status, isOwn: response.isJSON, output: output)
    } catch {
      context.trace("\(request) failed: \(error)")
      throw output.isBroken ? .brokenOutput : Failure(error, at: session.deployment)
    }
  }
}

/// What `api` has to say for an exit status.
struct APIAnswer {
  let status: Int
  /// Whether the deployment itself can have said it, and not a proxy or a portal before it.
  fileprivate let isOwn: Bool
  fileprivate let output: APIOutput

  /// Whether the deployment does not accept the token.
  var isRejection: Bool { status == 401 && isOwn }

  /// Ends the verb: prints what was withheld, and throws unless the status is 2xx.
  func finish(_ deployment: Deployment) throws(Failure) {
    guard output.release() else { throw .brokenOutput }
    let message = "\(deployment.url) answered HTTP \(status)"
    switch status {
    case 200..<300: return
    case 401 where !isOwn:
      throw Failure(.retryLater, message + " with a page that is not its own")
    case 401: throw .signIn(to: deployment, message)
    case 403: throw Failure(.askForAccess, message)
    case 408, 425, 429, 500...: throw Failure(.retryLater, message)
    case 300..<400:
      throw Failure(.fixTheServer, message, hint: "redirects are not followed")
    default: throw Failure(.fixTheServer, message)
    }
  }
}

/// Standard output, and what is kept from it for now.
private final class APIOutput {
  /// The most that is kept of a body that may not be the last, in bytes.
  private static let limit = 1 << 16

  private let withheld: Set<Int>
  private var kept: [UInt8] = []
  /// What a person looks at; nil where the bytes go to a program or a file as they came.
  private var shown = isatty(STDOUT_FILENO) != 0 ? TerminalText() : nil
  /// Whether nobody reads any more.
  private(set) var isBroken = false

  init(_ withheld: Set<Int>) {
    self.withheld = withheld
  }

  func take(_ bytes: UnsafeRawBufferPointer, of status: Int) -> Bool {
    guard withheld.contains(status) else { return output(bytes) }
    kept += bytes.prefix(max(0, Self.limit - kept.count))
    return true
  }

  func release() -> Bool {
    guard kept.withUnsafeBytes(output) else { return false }
    guard var shown else { return true }
    return Array(shown.end().utf8).withUnsafeBytes(write)
  }

  private func output(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let text = shown?.take(bytes) else { return write(bytes) }
    return Array(text.utf8).withUnsafeBytes(write)
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = Glibc.write(STDOUT_FILENO, part.baseAddress, part.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        isBroken = true
        return false
      }
      rest = rest.dropFirst(count)
    }
    return true
  }
}

extension Failure {
  fileprivate static let brokenOutput = Failure(
    .reportIt, "the answer could not be written to standard output")
}
