import Credentials
import Glibc
import HTTP
import OAuth
import Sessions

/// One request of `api`, and what comes of it: the body goes to standard output while it arrives.
struct APICall {
  let context: CommandContext
  let method: String
  var path: String
  let fields: [HTTPField]
  let body: APIBody?
  /// Which bodies are kept back.
  var holding = APIOutput.Holding.nothing
  /// Whether status and header fields are printed before the body.
  var showsHead = false

  /// Sends it with a session's token.
  func send(as session: StoredSession) throws(Failure) -> APIAnswer {
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
    let progress = TransferProgress(of: session.deployment.url)
    let line = ProgressLine(context.environment) { progress.text }
    defer { line?.end() }
    let output = APIOutput(holding, showsHead: showsHead, willShow: { line?.end() })
    do throws(HTTPError) {
      let response = try CurlClient(settings: transport).stream(
        request, body?.upload(progress),
        beginning: { version, head in
          progress.begin(.receiving, bytes: head.header("Content-Length").flatMap { Int($0) })
          output.begin(version, head)
        }
      ) { status, bytes in
        progress.add(bytes.count)
        return output.take(bytes, of: status)
      }
      context.trace("\(request) answered \(response)")
      return APIAnswer(
        status: response.status, isOwn: response.isJSON,
        isPage: !path.hasPrefix("/api/")
          && response.header("Content-Type")?.hasPrefix("text/html") == true,
        next: response.header("Link"), output: output)
    } catch {
      context.trace("\(request) failed: \(error)")
      if output.isClosed {
        return APIAnswer(status: 200, isOwn: true, isPage: false, next: nil, output: output)
      }
      throw output.failure ?? Failure(error, at: session.deployment)
    }
  }
}

/// Requests of one `api` command: the session is refreshed once if the deployment refuses its token.
struct APICaller {
  let context: CommandContext
  private(set) var session: StoredSession
  let mayRefresh: Bool
  private var hasRefreshed = false

  init(context: CommandContext, session: StoredSession, mayRefresh: Bool) {
    self.context = context
    self.session = session
    self.mayRefresh = mayRefresh && session.method == .oauth
  }

  /// Sends a request, and again with another token.
  mutating func send(_ call: APICall) throws -> APIAnswer {
    var first = call
    if mayRefresh, !hasRefreshed, first.holding == .nothing { first.holding = .rejection }
    var answer = try first.send(as: session)
    if answer.isRejection, mayRefresh, !hasRefreshed {
      hasRefreshed = true
      let renewed = try context.refreshed(session, because: .rejection)
      if renewed.accessToken != session.accessToken {
        guard call.body?.rewind() ?? true else {
          throw Failure(
            .retryLater, "the token was refreshed, but the body was read and cannot be sent again",
            hint: "run the command again, or send the body from a file")
        }
        session = renewed
        answer = try call.send(as: renewed)
      }
    }
    if answer.isRejection {
      // Later calls must not take the token for good. A keyring that cannot be written now has said
      // so, or will.
      try? context.services().noteRejection(of: session)
    }
    return answer
  }
}

/// What `api` has to say for an exit status.
struct APIAnswer {
  let status: Int
  /// Whether the deployment itself can have said it, and not a proxy or a portal before it.
  fileprivate let isOwn: Bool
  /// Whether it is a web page, asked for where the API is not.
  fileprivate let isPage: Bool
  /// The field `Link`, if there is one.
  let next: String?
  let output: APIOutput

  /// Whether the deployment does not accept the token.
  var isRejection: Bool { status == 401 && isOwn }

  /// Ends the verb: prints what was kept back, and throws unless the status is 2xx.
  func finish(_ session: StoredSession) throws(Failure) {
    try output.release()
    let message = "\(session.deployment.url) answered HTTP \(status)"
    switch status {
    case 200..<300:
      guard isPage else { return }
      Terminal.warn(
        "this is a web page of \(session.deployment.url); paths of its API begin with /api/v2/, or "
          + "without a slash")
    case 401 where !isOwn:
      throw Failure(.retryLater, message + " with a page that is not its own")
    case 401: throw .signIn(to: session.deployment, as: session.account, message)
    case 403: throw Failure(.askForAccess, message)
    case 408, 425, 429, 500...: throw Failure(.retryLater, message)
    case 300..<400:
      throw Failure(.fixTheServer, message, hint: "redirects are not followed")
    default: throw Failure(.fixTheServer, message)
    }
  }
}
