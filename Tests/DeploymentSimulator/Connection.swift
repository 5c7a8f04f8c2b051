import Glibc

/// One accepted connection: one request in, one response out, closed.
struct Connection {
  let socket: Socket
  let deployment: DeploymentSimulator

  private static let headLimit = 65_536
  private static let bodyLimit = 64 << 20

  func serve() {
    let deadline = Socket.clock() + 60
    let request: Request
    switch receiveRequest(deadline) {
    case .request(let value): request = value
    case .refused(let response):
      deliver(response)
      return
    case .gone: return
    }
    if let response = deployment.control(request) {
      deliver(response)
      return
    }
    let (number, planned, routed) = deployment.admit(request)
    FaultDelivery(connection: self, request: routed, number: number, planned: planned).run()
  }

  /// Sends head and body; false when the client went away.
  @discardableResult
  func send(_ response: Response, isHead: Bool = false) -> Bool {
    var bytes = response.head(length: response.body.count)
    if !isHead { bytes += response.body }
    return socket.send(bytes, until: Socket.clock() + 30)
  }

  private func deliver(_ response: Response) {
    if send(response) { socket.finish() }
  }

  private enum Arrival {
    case request(Request)
    case refused(Response)
    case gone
  }

  private func receiveRequest(_ deadline: Double) -> Arrival {
    var buffer: [UInt8] = []
    var end: Int?
    while end == nil {
      guard buffer.count <= Self.headLimit else { return .refused(.empty(431)) }
      guard let bytes = socket.receive(16_384, until: deadline), !bytes.isEmpty else {
        return .gone
      }
      let from = max(0, buffer.count - 3)
      buffer += bytes
      end = Self.endOfHead(buffer, from: from)
    }
    guard let end, var request = Request(head: Array(buffer[..<end])) else {
      return .refused(.empty(400))
    }
    guard request.header("Transfer-Encoding") == nil else { return .refused(.empty(411)) }
    let length = Int(request.header("Content-Length") ?? "0") ?? -1
    guard length >= 0 else { return .refused(.empty(400)) }
    guard length <= Self.bodyLimit else { return .refused(.empty(413)) }
    if request.header("Expect")?.lowercased() == "100-continue" {
      _ = socket.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), until: deadline)
    }
    var body = Array(buffer[(end + 4)...])
    body.reserveCapacity(length)
    while body.count < length {
      guard let bytes = socket.receive(65_536, until: deadline), !bytes.isEmpty else {
        return .gone
      }
      body += bytes
    }
    request.attach(Array(body.prefix(length)))
    return .request(request)
  }

  private static func endOfHead(_ bytes: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= 4 else { return nil }
    return (start...(bytes.count - 4)).first { index in
      bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13
        && bytes[index + 3] == 10
    }
  }
}
