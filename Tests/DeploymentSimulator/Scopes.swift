/// The scope names of a deployment and what they cover.
enum Scopes {
  static let everything = "coder:all"

  static let catalog: [String] = [
    "api_key:*", "api_key:create", "api_key:delete", "api_key:read", "coder:all",
    "coder:apikeys.manage_self", "coder:application_connect", "coder:templates.author",
    "coder:templates.build", "coder:workspaces.access", "coder:workspaces.create",
    "coder:workspaces.delete", "coder:workspaces.operate", "file:*", "file:create", "file:read",
    "template:*", "template:create", "template:delete", "template:read", "template:update",
    "template:use", "user:*", "user:read", "user:read_personal", "user:update_personal",
    "workspace:*", "workspace:application_connect", "workspace:create", "workspace:delete",
    "workspace:read", "workspace:ssh", "workspace:start", "workspace:stop", "workspace:update",
  ]

  private static let composites: [String: [String]] = [
    "coder:apikeys.manage_self": ["api_key:create", "api_key:delete", "api_key:read"],
    "coder:application_connect": ["workspace:application_connect"],
    "coder:templates.author": [
      "file:create", "file:read", "template:create", "template:delete", "template:read",
      "template:update",
    ],
    "coder:templates.build": ["file:create", "file:read", "template:read"],
    "coder:workspaces.access": [
      "template:read", "workspace:application_connect", "workspace:read", "workspace:ssh",
    ],
    "coder:workspaces.create": [
      "template:read", "template:use", "workspace:create", "workspace:read", "workspace:update",
    ],
    "coder:workspaces.delete": ["workspace:delete", "workspace:read"],
    "coder:workspaces.operate": [
      "workspace:read", "workspace:start", "workspace:stop", "workspace:update",
    ],
  ]

  static let unknown = "unknown or unsupported scope"
  static let beyond = "scope requests permissions beyond this app's allowed scopes"
  static let unsupported =
    "none of the scopes registered for this app are supported by this deployment"

  /// Split at blanks, each name once, aliases in their canonical spelling.
  static func names(_ text: String?) -> [String] {
    var result: [String] = []
    for word in (text ?? "").split(separator: " ") {
      let name = canonical(String(word))
      if !result.contains(name) { result.append(name) }
    }
    return result
  }

  private static func canonical(_ name: String) -> String {
    switch name {
    case "all": everything
    case "application_connect": "coder:application_connect"
    default: name
    }
  }

  /// The single permissions a name stands for; only `coder:all` stands for itself as well.
  private static func leaves(_ name: String) -> Set<String> {
    let single = catalog.filter { !$0.hasPrefix("coder:") && !$0.hasSuffix(":*") }
    if name == everything { return Set(single + [everything]) }
    if let parts = composites[name] { return Set(parts) }
    if name.hasSuffix(":*") { return Set(single.filter { $0.hasPrefix(name.dropLast()) }) }
    return [name]
  }

  /// Coverage, not spelling: `coder:workspaces.access` covers `workspace:ssh`.
  static func covers(_ granted: [String], _ wanted: [String]) -> Bool {
    let whole = granted.reduce(into: Set<String>()) { $0.formUnion(leaves($1)) }
    return wanted.allSatisfy { leaves($0).isSubset(of: whole) }
  }

  /// The scope an authorization gets, or the reason it gets none.
  static func negotiate(
    requested: String?, allowlist: String?, catalog: [String]
  ) -> (granted: [String], problem: String?) {
    let listed = names(allowlist)
    let allowed = listed.filter(catalog.contains)
    if !listed.isEmpty && allowed.isEmpty { return ([], unsupported) }
    let wanted = names(requested)
    if !wanted.allSatisfy(catalog.contains) { return ([], unknown) }
    if wanted.isEmpty { return (allowed.isEmpty ? [everything] : allowed, nil) }
    if !allowed.isEmpty && !covers(allowed, wanted) { return ([], beyond) }
    return (wanted, nil)
  }
}
