/// The hosts under which a deployment serves the applications of its workspaces, as a person allows them:
/// `*.apps.example.com`, or `*--apps.example.com`.
///
/// What is sent to such a host reaches a program in a workspace, but for Coder's own cookie, which the
/// deployment takes out. So a token goes there as a cookie, and only where somebody allowed the pattern.
public struct ApplicationHosts: Sendable {
  private let deployment: Deployment
  /// What follows the asterisk, with the port unless it is the default.
  private let suffix: [UInt8]

  /// Reads a pattern; nil for one that is none, or could stand for the hosts of others.
  ///
  /// - Parameters:
  ///   - pattern: an asterisk, which is part of one label, and the rest of the host.
  ///   - deployment: whose applications they are; scheme and, unless named, port are its own.
  public init?(_ pattern: String, of deployment: Deployment) {
    guard pattern.utf8.first == UInt8(ascii: "*") else { return nil }
    let example = "\(deployment.scheme)://x" + String(Substring(pattern.utf8.dropFirst()))
    do throws(MalformedInput) {
      let host = try Deployment(url: example)
      let labels = host.host.utf8.split(
        separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      // `*.com` is nobody's.
      guard host.path.isEmpty, labels.count >= 3, labels.allSatisfy({ !$0.isEmpty }) else {
        return nil
      }
      suffix = Array(host.authority.utf8.dropFirst())
    } catch {
      return nil
    }
    self.deployment = deployment
  }

  /// Whether a URL lies on one of these hosts, and not on the deployment's own.
  public func contain(_ url: Deployment) -> Bool {
    let authority = Array(url.authority.utf8)
    guard url.scheme == deployment.scheme, authority.count > suffix.count,
      authority.suffix(suffix.count).elementsEqual(suffix)
    else { return false }
    let own = authority.dropLast(suffix.count)
    return !own.contains(UInt8(ascii: ".")) && url.server != deployment.server
  }
}
