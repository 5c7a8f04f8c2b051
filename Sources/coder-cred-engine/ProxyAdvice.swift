import Credentials
import HTTP

/// What to say where a proxy stands on the way that may be the reason why nothing answers.
struct ProxyAdvice {
  private let transport: TransportSettings
  private let environment: Environment

  init(_ environment: Environment) {
    var transport = TransportSettings(userAgent: "coder-cred/\(Version.number)")
    transport.environment = environment.variables
    self.transport = transport
    self.environment = environment
  }

  /// The proxy's variable and address, and what helps against both; nil for a direct connection.
  func hint(for deployment: Deployment) -> String? {
    guard let variable = transport.proxyVariable(for: deployment.url),
      let proxy = try? transport.proxy(for: deployment.url)
    else { return nil }
    let list =
      environment["NO_PROXY"] == nil && environment["no_proxy"] != nil
      ? "no_proxy" : "NO_PROXY"
    return "\(variable) leads through the proxy \(proxy): unset \(variable), or add "
      + "\(deployment.host) to \(list)"
  }

  /// A deployment that is on no machine, for which the proxy of all is looked up.
  private static let anywhere = "https://coder.invalid"

  /// The variable and the address of the proxy of everything that is reached by https; nil when there
  /// is none.
  var common: (variable: String, address: String)? {
    guard let variable = transport.proxyVariable(for: Self.anywhere),
      let proxy = try? transport.proxy(for: Self.anywhere)
    else { return nil }
    return (variable, proxy)
  }

  /// Why the proxy of everything cannot be reached; nil when anything answers there.
  var silence: String? {
    guard let common else { return nil }
    let direct = TransportSettings(
      userAgent: "coder-cred/\(Version.number)", connectTimeoutMilliseconds: 3_000,
      totalTimeoutMilliseconds: 3_000, allowsPlainHTTP: true)
    do throws(HTTPError) {
      _ = try CurlClient(settings: direct).send(HTTPRequest(url: "http://\(common.address)/"))
      return nil
    } catch {
      switch error {
      case .unreachable(let reason), .timedOut(let reason): return reason
      default: return nil
      }
    }
  }
}
