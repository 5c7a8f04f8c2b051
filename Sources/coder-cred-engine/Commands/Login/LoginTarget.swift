import Credentials
import HTTP
import Login
import OAuth
import Sessions

/// Where a person wants to sign in, from what they typed or pasted.
struct LoginTarget {
  let deployment: Deployment
  /// Whether the address named no protocol, so that https was assumed.
  private let isAssumedHTTPS: Bool

  /// Reads an address; asks for it at a terminal where none is given and none is known.
  ///
  /// - Throws: a failure to fix the call or the address; what the keyring and the settings throw.
  init(_ text: String?, _ context: CommandContext) throws {
    var text = text
    if text == nil {
      if let known = try Self.known(context) {
        (deployment, isAssumedHTTPS) = (known, false)
        return
      }
      text = try Self.askForAddress()
    }
    let address = Self.unquoted(text ?? "")
    let place = Self.withoutPage(address)
    // At a terminal it is seen which deployment is meant by that.
    if !Terminal.isInteractive, place.utf8.count < address.utf8.count {
      throw Failure(
        .fixTheInput, "the address is a page's: it holds a query or a fragment",
        hint: "coder-cred login \(try Deployment(url: place).url)")
    }
    isAssumedHTTPS = !place.contains("://")
    let named = try Deployment(url: place)
    try Self.requireWebAddress(named)
    try context.requireConfidential(named)
    deployment = named.scheme == "https" ? try Self.orPlain(named, context) : named
  }

  /// What a person reads when signing in there has failed.
  func failure(for error: LoginError) -> Failure {
    var failure = Failure(error, at: deployment)
    if case .oauth(.transport(.unreachable)) = error, failure.hint == nil {
      failure = Failure(
        failure.remedy, failure.message,
        hint: "check the address"
          + (isAssumedHTTPS ? "; it names no protocol, so https:// was tried" : ""))
    }
    return failure
  }

  /// An address without what copying leaves around it.
  private static func unquoted(_ text: String) -> String {
    let around = "'\"`<> \t\r\n".utf8
    var bytes = Array(text.utf8)[...]
    while let first = bytes.first, around.contains(first) { bytes.removeFirst() }
    while let last = bytes.last, around.contains(last) { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// An address without what belongs to a page alone: a query, a fragment.
  private static func withoutPage(_ address: String) -> String {
    String(
      decoding: address.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") },
      as: UTF8.self)
  }

  /// The deployment that is meant where none is named; nil where nothing is known.
  private static func known(_ context: CommandContext) throws -> Deployment? {
    do {
      let deployment = try context.deployment(named: nil)
      try requireWebAddress(deployment)
      return deployment
    } catch let failure as Failure where failure.remedy == .signInAgain {
      return nil
    }
  }

  private static func askForAddress() throws(Failure) -> String {
    let noAddress = Failure(.fixTheCall, "which deployment?", hint: "coder-cred login URL")
    guard Terminal.isInteractive else { throw noAddress }
    Terminal.prompt("Address of your Coder deployment: ")
    let address = try Terminal.line(limit: 4096)
    guard address.utf8.contains(where: { $0 > 0x20 }) else { throw noAddress }
    return address
  }

  /// Refuses what can be no Coder deployment, before anything is asked or sent.
  private static func requireWebAddress(_ deployment: Deployment) throws(Failure) {
    guard !deployment.isHTTP else { return }
    throw Failure(
      .fixTheInput, "\(deployment.url) is no Coder deployment: its URL begins with https://",
      hint: "coder-cred login https://\(deployment.name)")
  }

  /// The same address over http, if that is what answers there and the person agrees: servers that
  /// are tried out on this machine often speak nothing else.
  private static func orPlain(
    _ deployment: Deployment, _ context: CommandContext
  ) throws -> Deployment {
    guard deployment.isLoopback,
      let plain = try? Deployment(url: "http://\(deployment.name)"),
      case .deployment = DeploymentAPI(
        policy: try context.settings().endpointPolicy(of: plain),
        client: try context.services(showsWaiting: true).client(plain, .personWaits)
      ).identity()
    else { return deployment }
    let what = "\(deployment.name) speaks http, not https"
    if Terminal.isInteractive, try Terminal.agrees("\(what). Sign in to \(plain.url)?") {
      return plain
    }
    throw Failure(.fixTheInput, what, hint: "coder-cred login \(plain.url)")
  }
}
