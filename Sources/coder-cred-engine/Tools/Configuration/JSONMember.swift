/// A member of a JSON object, at the outermost level or within one object of it.
struct JSONMember: FileEdit {
  /// The second name that stands for whatever members of ours there are, to take them away.
  static let any = "*"

  /// The names that lead to it: one or two.
  let path: [String]
  /// Its value, as JSON.
  let value: String
  var allowsComments = false
  /// Whether a value that is there is one of ours, and may be replaced or taken away.
  let isOurs: (String) -> Bool

  var shown: String { whole }

  private var own: String { "\"\(path[path.count - 1])\": \(value)" }
  /// With a blank on either side, which tells an object of ours from one that was there.
  private var whole: String { path.count == 1 ? own : "\"\(path[0])\": { \(own) }" }

  func made(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    let content = content.allSatisfy(\.isJSONBlank) ? Array("{\n}\n".utf8) : content
    let layout = try JSONLayout(content, allowsComments: allowsComments)
    guard let outer = try member(path[0], of: layout.root) else {
      return insert(whole, into: layout.root, of: content)
    }
    guard path.count == 2 else { return try replace(outer, in: content) }
    guard let object = layout.object(of: outer) else { throw .taken(path[0]) }
    guard let inner = try member(path[1], of: object) else {
      return insert(own, into: object, of: content)
    }
    return try replace(inner, in: content)
  }

  func unmade(in content: [UInt8]) throws(EditProblem) -> [UInt8] {
    // An empty file is as good as an empty object.
    if content.allSatisfy(\.isJSONBlank) { return content }
    let layout = try JSONLayout(content, allowsComments: allowsComments)
    guard let outer = try member(path[0], of: layout.root) else { return content }
    guard path.count == 2 else {
      guard isOurs(text(outer, content)) else { return content }
      return remove(outer, from: layout.root, of: content)
    }
    guard let object = layout.object(of: outer),
      let inner = object.members.first(where: {
        [Self.any, $0.name].contains(path[1]) && isOurs(text($0, content))
      })
    else { return content }
    let space = content[(object.open + 1)..<inner.start]
    let isWhole =
      object.members.count == 1 && space.elementsEqual([0x20])
      && content[inner.value.upperBound..<object.close].elementsEqual([0x20])
    let others =
      isWhole
      ? remove(outer, from: layout.root, of: content) : remove(inner, from: object, of: content)
    return try unmade(in: others)
  }

  func isEmpty(_ content: [UInt8]) -> Bool {
    let text = content.filter { !$0.isJSONBlank }
    return text.isEmpty || text.elementsEqual("{}".utf8)
  }

  private func member(
    _ name: String, of object: JSONLayout.Object
  ) throws(EditProblem) -> JSONLayout.Member? {
    let members = object.members.filter { $0.name == name }
    guard members.count < 2 else { throw EditProblem("it sets \(name) twice") }
    return members.first
  }

  private func text(_ member: JSONLayout.Member, _ content: [UInt8]) -> String {
    String(decoding: content[member.value], as: UTF8.self)
  }

  private func replace(
    _ member: JSONLayout.Member, in content: [UInt8]
  ) throws(EditProblem) -> [UInt8] {
    let present = text(member, content)
    if present == value { return content }
    guard isOurs(present) else { throw .taken(path.joined(separator: ".")) }
    return Array(content[..<member.value.lowerBound]) + Array(value.utf8)
      + content[member.value.upperBound...]
  }

  /// Puts a member first, in the way the first one is written.
  private func insert(
    _ member: String, into object: JSONLayout.Object, of content: [UInt8]
  ) -> [UInt8] {
    let start = object.open + 1
    let text: [UInt8]
    if object.members.isEmpty {
      let isOneLine = !content[start..<object.close].contains(UInt8(ascii: "\n"))
      text = Array((isOneLine ? member : "\n  \(member)").utf8)
    } else {
      text = Array(content[start...].prefix { $0.isJSONBlank }) + Array("\(member),".utf8)
    }
    var changed = content
    changed.insert(contentsOf: text, at: start)
    return changed
  }

  /// Takes a member away, with what ``insert(_:into:of:_:)`` puts around it.
  private func remove(
    _ member: JSONLayout.Member, from object: JSONLayout.Object, of content: [UInt8]
  ) -> [UInt8] {
    let index = object.members.firstIndex { $0.start == member.start } ?? 0
    var range = member.start..<(member.comma.map { $0 + 1 } ?? member.value.upperBound)
    if index > 0, let comma = object.members[index - 1].comma {
      range = comma..<member.value.upperBound
    } else if content[(object.open + 1)..<member.start].allSatisfy(\.isJSONBlank) {
      range = (object.open + 1)..<range.upperBound
    }
    return Array(content[..<range.lowerBound]) + content[range.upperBound...]
  }
}
