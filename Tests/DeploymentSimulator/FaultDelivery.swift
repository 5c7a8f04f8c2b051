import Glibc

/// Brings one request to its response, through the fault planned for it.
struct FaultDelivery {
  let connection: Connection
  let request: Request
  let number: Int
  let planned: PlannedFault?

  private var deployment: DeploymentSimulator { connection.deployment }
  private var isHead: Bool { request.method == "HEAD" }

  func run() {
    deployment.pause(milliseconds: deployment.settings.latency)
    guard let planned else { return reply(deployment.respond(to: request)) }
    if !planned.afterActing { wait(planned) }
    var response = Response.empty(200)
    if planned.afterActing || planned.fault.acts { response = deployment.respond(to: request) }
    if planned.afterActing { wait(planned) }
    misbehave(planned.fault, response)
  }

  private func wait(_ planned: PlannedFault) {
    switch planned.fault {
    case .delay(let milliseconds): deployment.pause(milliseconds: milliseconds)
    case .hold: deployment.waitForRelease(after: planned.generation)
    default: break
    }
  }

  private func reply(_ response: Response) {
    deployment.note(response.status, of: number)
    if connection.send(response, isHead: isHead) { connection.socket.finish() }
  }

  private func misbehave(_ fault: DeploymentSimulator.Fault, _ response: Response) {
    switch fault {
    case .delay, .hold: reply(response)
    case .drop: deployment.note(0, of: number)
    case .garbage: send(raw: (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 129) })
    case .raw(let bytes): send(raw: bytes)
    case .response(let scripted): send(scripted)
    case .change(let change):
      var scripted = ScriptedResponse(response)
      change(&scripted, DeploymentSimulator.LoggedRequest(number: number, request))
      send(scripted)
    case .cut:
      let half = response.body.prefix(response.body.count / 2)
      send(raw: response.head(length: response.body.count) + half)
    case .endlessHeaders:
      stream(
        head: Array("HTTP/1.1 200 OK\r\n".utf8),
        chunk: Array(("X-Endless: " + String(repeating: "e", count: 1000) + "\r\n").utf8),
        total: 64 << 20)
    case .hugeBody(let mebibytes, let declared):
      let total = mebibytes << 20
      stream(
        head: Self.jsonResponse([]).head(length: declared ? total : nil),
        chunk: [UInt8](repeating: UInt8(ascii: " "), count: 65_536), total: total)
    case .drip(let milliseconds): drip(response, milliseconds)
    default: reply(Self.changed(response, fault))
    }
  }

  /// The faults that are just another complete response.
  private static func changed(
    _ response: Response, _ fault: DeploymentSimulator.Fault
  ) -> Response {
    var copy = response
    switch fault {
    case .status(let status, let body, let headers):
      copy = jsonResponse(Array(body.utf8))
      copy.status = status
      for (name, value) in headers { copy = copy.replacing(name, value) }
    case .truncatedJSON: copy.body = Array(response.body.prefix(response.body.count / 2))
    case .invalidJSON: copy = jsonResponse(Array("{'access_token': not json,}".utf8))
    case .htmlPage: copy = .html(200, "<!doctype html><title>Welcome to the hotel</title>")
    case .emptyBody: copy = jsonResponse([])
    case .contentType(let type): copy = response.replacing("Content-Type", type)
    case .gzipBomb(let mebibytes):
      copy = jsonResponse(Gzip.blanks(mebibytes: mebibytes)).adding("Content-Encoding", "gzip")
    case .redirect(let target, let status): copy = .redirect(status, to: target)
    case .oauthErrorIn200(let code): copy = .oauthError(200, code, "An error under status 200")
    case .mergePatch(let patch):
      if let value = JSON(parsing: response.body), let change = JSON(parsing: patch) {
        copy.body = Array(value.merging(change).text.utf8)
      }
    default: break
    }
    return copy
  }

  private static func jsonResponse(_ body: [UInt8]) -> Response {
    Response(
      status: 200, headers: [Field(name: "Content-Type", value: "application/json")], body: body)
  }

  private func send(_ scripted: ScriptedResponse) {
    send(raw: scripted.bytes, status: scripted.status)
  }

  private func send(raw bytes: [UInt8], status: Int = 0) {
    deployment.note(status, of: number)
    if connection.socket.send(bytes, until: Socket.clock() + 30) { connection.socket.finish() }
  }

  private func stream(head: [UInt8], chunk: [UInt8], total: Int) {
    deployment.note(200, of: number)
    let deadline = Socket.clock() + 60
    guard connection.socket.send(head, until: deadline) else { return }
    var left = total
    while left > 0, !deployment.isStopped {
      let part = left >= chunk.count ? chunk : Array(chunk.prefix(left))
      guard connection.socket.send(part, until: deadline) else { return }
      left -= part.count
    }
    connection.socket.finish()
  }

  private func drip(_ response: Response, _ milliseconds: Int) {
    deployment.note(response.status, of: number)
    for byte in response.head(length: response.body.count) + response.body {
      guard connection.socket.send([byte], until: Socket.clock() + 30), !deployment.isStopped else {
        return
      }
      deployment.pause(milliseconds: milliseconds)
    }
    connection.socket.finish()
  }
}
