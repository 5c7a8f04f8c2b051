import Credentials

extension ToolConfiguration {
  /// docker: our helper for one registry, or as the store for all.
  static func docker(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    _ = try request.program(DockerProtocol.name)
    let path = try request.path("config.json", in: "DOCKER_CONFIG", below: ".docker")
    let helper = jsonString("coder-cred")
    let store = JSONMember(path: ["credsStore"], value: helper, isOurs: { $0 == helper })
    let registry = try request.url.map { try Deployment(url: $0).name } ?? JSONMember.any
    let helpers = JSONMember(
      path: ["credHelpers", registry], value: helper, isOurs: { $0 == helper })
    let edits = request.isUnset ? [helpers, store] : [request.url == nil ? store : helpers]
    return ToolConfiguration(changes: [.file(path, edits)])
  }
}
