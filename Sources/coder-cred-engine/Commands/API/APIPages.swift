import Credentials
import FoundationEssentials

/// The pages of a list: those that a server links to (RFC 8288, `rel="next"`), else those that Coder
/// counts with `limit` and `offset`.
struct APIPages {
  /// How many entries a page has, unless the path says.
  private static let usualLimit = 100
  /// The most pages: a list that goes on for ever is none.
  private static let maximumCount = 10_000

  let deployment: Deployment
  /// Whether an array was begun on standard output.
  private var isInArray = false

  init(deployment: Deployment) {
    self.deployment = deployment
  }

  /// Prints the pages, from the one that a call asks for on.
  ///
  /// Arrays are joined to one; what else comes is printed as it is, one page after another.
  mutating func output(_ first: APICall, _ caller: inout APICaller) throws {
    var call = first
    let limit = Self.number("limit", in: first.path) ?? Self.usualLimit
    var offset = Self.number("offset", in: first.path) ?? 0
    var former: [UInt8] = []
    for _ in 0..<Self.maximumCount {
      if Self.number("limit", in: call.path) == nil {
        call.path = Self.add("limit", limit, call.path)
      }
      let answer = try caller.send(call)
      guard (200..<300).contains(answer.status) else {
        try end(answer.output)
        return try answer.finish(caller.session)
      }
      let bytes = answer.output.kept
      // A server that knows no pages repeats itself.
      guard bytes != former || former.isEmpty else { return try end(answer.output) }
      former = bytes
      let page = try? JSONDecoder().decode(Page.self, from: Data(bytes))
      try write(bytes, isArray: page?.isArray ?? false, answer.output)
      if answer.output.isClosed { return }
      if let next = try answer.next.flatMap({ link throws(Failure) in try target(of: link) }) {
        call.path = next
      } else if let page, page.hasMore(after: offset, limit: limit) {
        offset += page.count ?? 0
        call.path = Self.add("offset", offset, Self.without("offset", call.path))
      } else {
        return try end(answer.output)
      }
    }
    throw Failure(.fixTheServer, "the list has more than \(Self.maximumCount) pages")
  }

  private mutating func write(
    _ bytes: [UInt8], isArray: Bool, _ output: APIOutput
  ) throws(Failure) {
    guard isArray, let start = bytes.firstIndex(of: UInt8(ascii: "[")),
      let stop = bytes.lastIndex(of: UInt8(ascii: "]")), start < stop
    else {
      try end(output)
      return try output.output(bytes + (bytes.last == 0x0A ? [] : [0x0A]))
    }
    let inside = bytes[(start + 1)..<stop]
    let isBlank = inside.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    let separator = isInArray ? (isBlank ? "" : ",") : "["
    isInArray = true
    try output.output(Array(separator.utf8) + inside)
  }

  private mutating func end(_ output: APIOutput) throws(Failure) {
    if isInArray { try output.output("]\n".utf8) }
    isInArray = false
  }

  /// The path that a field `Link` calls the next page; nil when it names none.
  ///
  /// - Throws: a failure when it lies outside of the deployment, where the token must not go.
  private func target(of link: String) throws(Failure) -> String? {
    for part in link.split(separator: ",") {
      let pieces = part.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let target = pieces.first, target.hasPrefix("<"), target.hasSuffix(">"),
        pieces.dropFirst().contains(where: { ["rel=\"next\"", "rel=next"].contains($0) })
      else { continue }
      let url = target.dropFirst().dropLast()
      let base = url.hasPrefix("/") ? deployment.path : deployment.url
      guard url.hasPrefix(base + "/"), !url.hasPrefix("//") else {
        throw Failure(
          .fixTheServer, "the next page of the list lies outside of \(deployment.url)")
      }
      return String(url.dropFirst(base.count))
    }
    return nil
  }
}

/// The numbers in a query.
extension APIPages {
  private static func pairs(of path: String) -> [Substring] {
    path.split(separator: "?", maxSplits: 1).dropFirst().flatMap { $0.split(separator: "&") }
  }

  private static func number(_ name: String, in path: String) -> Int? {
    pairs(of: path).first { $0.hasPrefix("\(name)=") }
      .flatMap { Int($0.dropFirst(name.count + 1)) }.flatMap {
        (0..<1 << 31).contains($0) ? $0 : nil
      }
  }

  private static func without(_ name: String, _ path: String) -> String {
    let pairs = pairs(of: path).filter { !$0.hasPrefix("\(name)=") }
    let plain = path.prefix { $0 != "?" }
    return pairs.isEmpty ? String(plain) : "\(plain)?\(pairs.joined(separator: "&"))"
  }

  private static func add(_ name: String, _ value: Int, _ path: String) -> String {
    "\(path)\(path.contains("?") ? "&" : "?")\(name)=\(value)"
  }
}

/// What the next page depends on.
private struct Page: Decodable {
  /// The page is an array; if not, an object.
  let isArray: Bool
  /// How many entries it has; nil when it is no list.
  let count: Int?
  /// How many entries the whole list has, where the deployment says so.
  let total: Int?

  private struct Entry: Decodable {
    init(from decoder: any Decoder) {}
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws {
    if let entries = try? [Entry](from: decoder) {
      (isArray, count, total) = (true, entries.count, nil)
      return
    }
    let members = try decoder.container(keyedBy: Name.self)
    let lists = members.allKeys.compactMap { try? members.decode([Entry].self, forKey: $0).count }
    isArray = false
    count = lists.count == 1 ? lists[0] : nil
    total = try? members.decode(Int.self, forKey: Name(stringValue: "count"))
  }

  /// Whether there is another page, after so many entries before this one.
  func hasMore(after offset: Int, limit: Int) -> Bool {
    // More than was asked for is a list without pages.
    guard let count, count > 0, count <= limit else { return false }
    return total.map { offset + count < $0 } ?? (count == limit)
  }
}
