import Credentials

/// Where the person's browser reaches a deployment, which may be another address than ours: the
/// setting `browser-url`.
struct BrowserAddress {
  private let deployment: Deployment
  private let other: Deployment?

  init(_ deployment: Deployment, _ settings: Settings) throws(Failure) {
    self.deployment = deployment
    guard let text = settings.text("browser-url", for: deployment) else {
      other = nil
      return
    }
    do throws(MalformedInput) {
      other = try Deployment(url: text)
    } catch {
      throw Failure(.fixTheCall, "the configuration's browser-url is unusable: \(error.reason)")
    }
    guard ["https", "http"].contains(other?.scheme) else {
      throw Failure(.fixTheCall, "the configuration's browser-url is not an https URL")
    }
  }

  /// The address of one of the deployment's pages for the person's browser.
  ///
  /// What lies on another site, or beside the deployment's path, stays as it is.
  func page(_ url: String) -> String {
    guard let other, url.hasPrefix(deployment.url) else { return url }
    let rest = url.utf8.dropFirst(deployment.url.utf8.count)
    guard rest.first.map({ "/?".utf8.contains($0) }) ?? true, let rest = String(rest) else {
      return url
    }
    return other.url + rest
  }
}
