import Credentials

extension CommandContext {
  /// The address of a deployment's page for the person's browser, which may know the deployment
  /// under another address than ours: `browser-url`.
  ///
  /// What lies on another site, or beside the deployment's path, stays as it is.
  func webAddress(_ url: String, of deployment: Deployment) throws(Failure) -> String {
    guard let text = try configuration().text("browser-url", for: deployment) else { return url }
    let other: Deployment
    do throws(MalformedInput) {
      other = try Deployment(url: text)
    } catch {
      throw Failure(.fixTheCall, "the configuration's browser-url is unusable: \(error.reason)")
    }
    guard ["https", "http"].contains(other.scheme) else {
      throw Failure(.fixTheCall, "the configuration's browser-url is not an https URL")
    }
    guard url.hasPrefix(deployment.url) else { return url }
    let rest = url.utf8.dropFirst(deployment.url.utf8.count)
    guard rest.first.map({ "/?".utf8.contains($0) }) ?? true, let rest = String(rest) else {
      return url
    }
    return other.url + rest
  }
}
