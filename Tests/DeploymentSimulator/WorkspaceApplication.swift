import Foundation

/// A file server in a workspace, below `/files/`, for who has a live token: git repositories for git's
/// plain protocol, and objects for git-lfs.
///
/// It takes the token as `Settings.filesScheme` says: `Bearer` as the deployment itself does, or as the
/// password of `Basic`, which is all that an older git can send.
extension ServerState {
  func file(_ request: Request) -> Response {
    guard let directory = settings.files, holdsToken(request) else { return challenged() }
    let words = request.path.split(separator: "/").map(String.init).dropFirst()
    guard !words.contains(".."), !words.isEmpty else { return .empty(404) }
    if request.method == "POST", words.suffix(2) == ["objects", "batch"] {
      return lfsBatch(request)
    }
    // What git-lfs asks for lies where it stores it itself: by the first digits of the name.
    var path = words.joined(separator: "/")
    if words.first == "lfs", let object = words.last {
      path = "lfs/objects/\(object.prefix(2))/\(object.dropFirst(2).prefix(2))/\(object)"
    }
    guard request.method == "GET",
      let data = FileManager.default.contents(atPath: "\(directory)/\(path)")
    else { return .empty(404) }
    return Response(
      status: 200, headers: [Field(name: "Content-Type", value: "application/octet-stream")],
      body: [UInt8](data))
  }

  private func holdsToken(_ request: Request) -> Bool {
    guard settings.filesScheme == "Basic" else {
      return request.header("Authorization") != nil && session(of: request) != nil
    }
    guard let password = request.basic?.password, let (id, secret) = Self.keyParts(password) else {
      return false
    }
    return keys[id].map { $0.secret == secret && $0.expiresAt > now } ?? false
  }

  private func challenged() -> Response {
    Response.empty(401).adding(
      "WWW-Authenticate", settings.filesScheme + " realm=\"files\"")
  }

  /// git-lfs, "Batch API": where each object can be had.
  private func lfsBatch(_ request: Request) -> Response {
    guard case .array(let objects)? = JSON(parsing: request.body)?["objects"] else {
      return .empty(422)
    }
    let answers: [JSON] = objects.map { object in
      let name = object["oid"]?.string ?? ""
      return [
        "oid": .string(name), "size": object["size"] ?? 0,
        "actions": [
          "download": ["href": .string("\(address)\(settings.basePath)/files/lfs/\(name)")]
        ],
      ]
    }
    let response = Response.json(200, ["transfer": "basic", "objects": .array(answers)])
    return response.replacing("Content-Type", "application/vnd.git-lfs+json")
  }
}
