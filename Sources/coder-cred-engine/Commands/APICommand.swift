import ArgumentParser
import Credentials
import HTTP
import Sessions

/// `api`: one request to the deployment, with a token that works.
struct APICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "api",
    abstract: "Send a request to the deployment's API and print the answer's body.",
    discussion: """
      When the deployment refuses the token, it is refreshed and the request sent once more. \
      Redirects are not followed. Exit status: 0 for 2xx, 1 when a fresh token is refused (401), \
      77 for 403, 75 for 408, 429 and 5xx, 76 for any other answer.
      """)

  @Argument(help: "GET, POST …, and the path, such as /api/v2/users/me.")
  var words: [String]

  @Option(
    help: ArgumentHelp("Send this file, or standard input (-), as the body.", valueName: "file"))
  var input: String?

  @Option(
    name: [.customShort("H"), .customLong("header")],
    help: ArgumentHelp("Send this header field, too.", valueName: "name: value"))
  var fields: [String] = []

  @OptionGroup var options: CredentialOptions

  mutating func validate() throws {
    guard (1...2).contains(words.count) else {
      throw ValidationError("api takes a method and a path, such as: api GET /api/v2/users/me")
    }
    let isMethod = words.count == 1 || words[0].utf8.allSatisfy { (0x41...0x5A).contains($0) }
    guard isMethod, !words[0].isEmpty else {
      throw ValidationError("the method is a word in capitals, such as GET")
    }
    guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C && $0 != 0x23 }) else {
      throw ValidationError("the path holds a blank, a backslash, # or what must be encoded")
    }
    guard path.utf8.starts(with: "/".utf8) else {
      throw ValidationError("the path begins with /")
    }
    for field in fields {
      guard let name = Self.parsed(field)?.name.lowercased() else {
        throw ValidationError("-H takes a header field: 'Name: value'")
      }
      guard !["authorization", "coder-session-token", "cookie"].contains(name) else {
        throw ValidationError("-H \(name) is ours to set")
      }
    }
  }

  func run() throws {
    let context = CommandContext()
    let session = try context.session(at: nil, options)
    try context.requireHTTP(session.deployment)
    guard session.method != .basic else {
      throw Failure(.fixTheInput, "what is stored is a password, not a token")
    }
    let body = try input.map { name throws(Failure) in try APIBody(of: name) }
    let call = APICall(
      context: context, method: words.count == 2 ? words[0] : input == nil ? "GET" : "POST",
      path: path, fields: headers, body: body)
    var last = session
    var answer = try call.send(as: session, withholding: [401])
    if answer.isRejection, !options.noRefresh, session.method == .oauth {
      let renewed = try context.refreshed(session, because: .rejection)
      if renewed.accessToken != session.accessToken {
        guard body?.rewind() ?? true else {
          throw Failure(
            .retryLater, "the token was refreshed, but the body was read and cannot be sent again",
            hint: "run the command again, or send the body from a file")
        }
        answer = try call.send(as: renewed, withholding: [])
        last = renewed
      }
    }
    if answer.isRejection {
      // Later calls must not take the token for good. A keyring that cannot be written now has said
      // so, or will.
      try? context.services().noteRejection(of: last)
    }
    try answer.finish(session.deployment)
  }

  /// The path and the query; slashes that follow one another in the path are one, for a deployment
  /// serves its web page under the other spelling.
  private var path: String {
    let word = words[words.count - 1].utf8
    let path = word.prefix { $0 != UInt8(ascii: "?") }
    let slash = UInt8(ascii: "/")
    let single = path.indices.filter { index in
      path[index] != slash || index == path.startIndex || path[path.index(before: index)] != slash
    }.map { path[$0] }
    return String(decoding: single + word.dropFirst(path.count), as: UTF8.self)
  }

  private var headers: [HTTPField] {
    let given = fields.compactMap(Self.parsed)
    // What a deployment's API takes, unless told otherwise.
    let isTyped = input == nil || given.contains { $0.name.lowercased() == "content-type" }
    return given + (isTyped ? [] : [HTTPField("Content-Type", "application/json")])
  }

  private static func parsed(_ field: String) -> HTTPField? {
    let bytes = Array(field.utf8)
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return nil }
    let value = bytes[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
    return HTTPField(
      String(decoding: bytes[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self))
  }
}
