import ArgumentParser
import Credentials
import HTTP
import Sessions

/// `api`: a request to the deployment, with a token that works.
struct APICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "api",
    abstract: "Send a request to the deployment's API and print the answer's body.",
    discussion: """
      A path without a slash before it begins at /api/v2: users/me is /api/v2/users/me. Fields \
      (-f, -F) are sent as a JSON object, with POST unless -X says otherwise; with GET or --input \
      they go into the query. When the deployment refuses the token, it is refreshed and the request \
      sent once more. Redirects are not followed. Exit status: 0 for 2xx, 1 when a fresh token is \
      refused (401), 77 for 403, 75 for 408, 429 and 5xx, 76 for any other answer.
      """)

  @Argument(help: "GET, POST …, if it is to be named, and the path, such as /api/v2/users/me.")
  var words: [String] = []

  @Option(
    name: [.customShort("X", allowingJoined: true), .customLong("method")],
    help: ArgumentHelp("The method (default: GET, or POST with a body).", valueName: "method"))
  var method: String?

  @Option(
    help: ArgumentHelp("Send this file, or standard input (-), as the body.", valueName: "file"))
  var input: String?

  @Option(
    name: [.customShort("f"), .customLong("raw-field")],
    help: ArgumentHelp("Send this field, a text.", valueName: "key=value"))
  var textFields: [String] = []

  @Option(
    name: [.customShort("F"), .customLong("field")],
    help: ArgumentHelp(
      "Send this field: true, false, null, a whole number, @file for what a file holds, or a text.",
      valueName: "key=value"))
  var typedFields: [String] = []

  @Option(
    name: [.customShort("H"), .customLong("header")],
    help: ArgumentHelp("Send this header field, too.", valueName: "name: value"))
  var fields: [String] = []

  @Flag(help: "Print all pages of a list, one after another; arrays become one array.")
  var paginate = false

  @Flag(
    name: [.customShort("i"), .customLong("include")],
    help: "Print the status and the header fields before the body.")
  var include = false

  @OptionGroup var options: CredentialOptions

  mutating func validate() throws {
    guard (1...2).contains(words.count) else {
      throw ValidationError(
        words.isEmpty
          ? "which path? coder-cred api [METHOD] PATH" : "api takes one method and one path")
    }
    guard words.count == 1 || method == nil else {
      throw ValidationError("the method is given twice: \(words[0]) and -X")
    }
    guard words.count == 1 || Self.isMethod(words[0]),
      method.map({ Self.isMethod($0.uppercased()) }) ?? true
    else { throw ValidationError("the method is a word in capitals, such as GET") }
    _ = try Self.target(words[words.count - 1])
    for field in fields {
      guard let name = Self.parsed(field)?.name else {
        throw ValidationError("-H takes a header field: 'Name: value'")
      }
      guard !["authorization", "coder-session-token", "cookie"].contains(name.lowercased()) else {
        throw ValidationError("leave out -H \(name): coder-cred adds it")
      }
    }
    for field in textFields + typedFields where !APIFields.isField(field) {
      throw ValidationError("a field is key=value")
    }
    guard !paginate || chosenMethod == "GET" && input == nil && !include else {
      throw ValidationError("--paginate is for GET alone, without --input and --include")
    }
  }

  func run() throws {
    let context = CommandContext()
    let session = try context.session(at: nil, options)
    try context.requireHTTP(session.deployment)
    guard session.method != .basic else {
      throw Failure.storedPassword
    }
    let given = try APIFields(texts: textFields, typed: typedFields)
    var path = try Self.target(words[words.count - 1])
    var body = try input.map { name throws(Failure) in try APIBody(of: name) }
    if input != nil || chosenMethod == "GET" || chosenMethod == "HEAD" {
      path = given.added(to: path)
    } else if !given.isEmpty {
      body = APIBody(given.json)
    }
    var caller = APICaller(context: context, session: session, mayRefresh: !options.noRefresh)
    var call = APICall(
      context: context, method: chosenMethod, path: path, fields: headers(hasBody: body != nil),
      body: body)
    if paginate {
      call.holding = .everything
      var pages = APIPages(deployment: session.deployment)
      return try pages.output(call, &caller)
    }
    call.showsHead = include
    try caller.send(call).finish(session)
  }

  private var chosenMethod: String {
    let hasBody = input != nil || !(textFields + typedFields).isEmpty
    return method?.uppercased() ?? (words.count == 2 ? words[0] : hasBody ? "POST" : "GET")
  }

  private static func isMethod(_ word: String) -> Bool {
    !word.isEmpty && word.utf8.allSatisfy { (0x41...0x5A).contains($0) }
  }

  /// What is asked for, from the deployment's URL on.
  private static func target(_ given: String) throws(ValidationError) -> String {
    guard given.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C && $0 != 0x23 }) else {
      throw ValidationError("the path holds a blank, a backslash, # or what must be encoded")
    }
    if given.hasPrefix("/") { return withSingleSlashes(given) }
    // RFC 3986 §4.2: the first segment of a relative path holds no colon, or it would be a scheme.
    let first = given.prefix { $0 != "/" && $0 != "?" }
    guard !first.isEmpty, !first.contains(":") else {
      throw ValidationError("give the path alone, for example users/me or /api/v2/users/me")
    }
    return withSingleSlashes((given.hasPrefix("api/") ? "/" : "/api/v2/") + given)
  }

  /// Slashes that follow one another in a path are one: under the other spelling a deployment serves
  /// its web page.
  private static func withSingleSlashes(_ target: String) -> String {
    let path = target.prefix { $0 != "?" }
    let segments = path.split(separator: "/", omittingEmptySubsequences: true)
    let end = path.hasSuffix("/") && !segments.isEmpty ? "/" : ""
    return "/" + segments.joined(separator: "/") + end + target.dropFirst(path.count)
  }

  private func headers(hasBody: Bool) -> [HTTPField] {
    let given = fields.compactMap(Self.parsed)
    // What a deployment's API takes, unless told otherwise.
    let isTyped = !hasBody || given.contains { $0.name.lowercased() == "content-type" }
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
