import Foundation

/// A server in a workspace, below `/files/`, for who has a live token: git repositories, through git's own
/// CGI program, and objects for git-lfs.
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
    if let repository = words.first, repository.hasSuffix(".git") {
      return gitBackend(request, words.joined(separator: "/"), in: directory)
    }
    // git-lfs stores objects by the first digits of their names.
    guard words.first == "lfs", let object = words.last, request.method == "GET",
      let data = FileManager.default.contents(
        atPath:
          "\(directory)/lfs/objects/\(object.prefix(2))/\(object.dropFirst(2).prefix(2))/\(object)")
    else { return .empty(404) }
    return Response(
      status: 200, headers: [Field(name: "Content-Type", value: "application/octet-stream")],
      body: [UInt8](data))
  }

  /// git-http-backend(1).
  private func gitBackend(
    _ request: Request, _ path: String, in directory: String
  ) -> Response {
    let backend = Process()
    backend.executableURL = URL(fileURLWithPath: "/usr/bin/git")
    backend.arguments = ["http-backend"]
    backend.environment = [
      "PATH": "/usr/bin:/bin", "GIT_PROJECT_ROOT": directory, "GIT_HTTP_EXPORT_ALL": "1",
      "PATH_INFO": "/\(path)", "REQUEST_METHOD": request.method,
      "QUERY_STRING": request.query["service"].map { "service=\($0)" } ?? "",
      "CONTENT_TYPE": request.header("Content-Type") ?? "",
      "CONTENT_LENGTH": String(request.body.count),
      "HTTP_CONTENT_ENCODING": request.header("Content-Encoding") ?? "",
      "GIT_PROTOCOL": request.header("Git-Protocol") ?? "",
    ]
    let (input, output) = (Pipe(), Pipe())
    backend.standardInput = input
    backend.standardOutput = output
    backend.standardError = FileHandle.nullDevice
    do { try backend.run() } catch { return .empty(500) }
    try? input.fileHandleForWriting.write(contentsOf: Data(request.body))
    try? input.fileHandleForWriting.close()
    let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return .empty(500) }
    var response = Response(status: 200)
    response.body = Array(bytes[end.upperBound...])
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
    for line in head.components(separatedBy: "\r\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard parts.count == 2 else { continue }
      if parts[0] == "Status" {
        response.status = Int(parts[1].prefix(3)) ?? 500
      } else {
        response.headers.append(Field(name: parts[0], value: parts[1]))
      }
    }
    return response
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
