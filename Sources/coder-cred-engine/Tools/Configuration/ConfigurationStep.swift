import Glibc
import Sessions

/// One change, worked out but not yet made.
enum ConfigurationStep {
  /// Nothing is to be done, and why.
  case none(String)
  case file(ToolFile, content: [UInt8]?, change: ToolConfiguration.Change, isUnset: Bool)
  case link(String, to: String, change: ToolConfiguration.Change)
  case unlink(String)

  /// Works out a change, or with `isUnset` the way back.
  ///
  /// - Throws: when it cannot be made; nothing is changed.
  init(_ change: ToolConfiguration.Change, isUnset: Bool) throws(Failure) {
    switch change {
    case .file(let path, let edits):
      let file = try ToolFile(path: path)
      let content = try isUnset ? Self.unmade(edits, file) : Self.made(edits, file.content, path)
      self =
        content == file.content
        ? .none(Self.unchanged(path, isUnset: isUnset))
        : .file(file, content: content, change: change, isUnset: isUnset)
      if content != file.content { try file.requireWritable() }
    case .link(let path, let program):
      try self.init(link: path, to: program, change, isUnset: isUnset)
    }
  }

  private init(
    link path: String, to program: String, _ change: ToolConfiguration.Change, isUnset: Bool
  ) throws(Failure) {
    var status = stat()
    let exists = lstat(path, &status) == 0
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(path, &target, target.count - 1)
    let present = String(
      decoding: target[..<max(0, length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    switch (exists, isUnset) {
    case (false, true): self = .none(Self.unchanged(path, isUnset: true))
    case (false, false): self = .link(path, to: program, change: change)
    case (true, _):
      guard present == program || present.hasSuffix("/coder-cred") else {
        if isUnset {
          self = .none(Self.unchanged(path, isUnset: true))
          return
        }
        throw Failure(.fixTheInput, "\(path) is there already, and is no link of ours")
      }
      self = isUnset ? .unlink(path) : .none(Self.unchanged(path, isUnset: false))
    }
  }

  /// Whether anything is to be done.
  var isChange: Bool { if case .none = self { false } else { true } }

  /// Makes the change, and says so.
  func carryOut() throws(Failure) {
    switch self {
    case .none(let reason): Terminal.say(reason)
    case .file(let file, let content, let change, let isUnset):
      try isUnset ? unset(file, content) : set(file, content, change)
    case .link(let path, let program, let change):
      if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
        RuntimeDirectory.makeDirectories(String(path[..<slash]))
      }
      guard symlink(program, path) == 0 else { throw Self.unusable(path) }
      try Terminal.show(change.shown)
    case .unlink(let path):
      guard Glibc.unlink(path) == 0 else { throw Self.unusable(path) }
      Terminal.say("Removed \(path).")
      Self.removeEmptyDirectories(above: path)
    }
  }

  private static func unchanged(_ path: String, isUnset: Bool) -> String {
    isUnset
      ? "There is nothing of coder-cred in \(path)." : "\(path) has it already; nothing is changed."
  }

  /// Removes the directories above a file of ours that are empty without it: they were made for it.
  /// The home directory and those that hold every program's settings stay.
  private static func removeEmptyDirectories(above path: String) {
    let environment = Environment.ofThisProcess
    guard let home = environment.directory("HOME") else { return }
    let kept = [home, environment.directory("XDG_CONFIG_HOME", below: ".config")]
    var path = path
    while let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex {
      path = String(path[..<slash])
      guard path.hasPrefix(home + "/"), !kept.contains(path), rmdir(path) == 0 else { return }
    }
  }

  private func set(
    _ file: ToolFile, _ content: [UInt8]?, _ change: ToolConfiguration.Change
  ) throws(Failure) {
    guard case .file(_, let edits) = change else { return }
    // Before our first change alone: what came later is not how it was.
    let isFirst =
      try Self.edited(edits, file.content, file.path) { edit, content throws(EditProblem) in
        try edit.unmade(in: content)
      } == file.content
    if isFirst { try file.backUp() }
    try file.replace(with: content)
    try Terminal.show(change.shown)
    if isFirst, file.content != nil { Terminal.say("As it was, it is in \(file.backupPath).") }
  }

  private func unset(_ file: ToolFile, _ content: [UInt8]?) throws(Failure) {
    try file.replace(with: content)
    let backup = try ToolFile(path: file.backupPath)
    let isRestored = backup.content == content
    if content == nil {
      Terminal.say("Removed \(file.path).")
      Self.removeEmptyDirectories(above: file.path)
    } else {
      Terminal.say(
        isRestored
          ? "Restored \(file.path)."
          : "Took out of \(file.path) what coder-cred had added; what was changed since stays.")
    }
    guard backup.content != nil else { return }
    if isRestored { return try backup.replace(with: nil) }
    Terminal.say("A copy from before all that is in \(backup.path); remove it when you like.")
  }

  private static func made(
    _ edits: [any FileEdit], _ content: [UInt8]?, _ path: String
  ) throws(Failure) -> [UInt8]? {
    try edited(edits, content, path) { edit, content throws(EditProblem) in
      try edit.made(in: content)
    }
  }

  /// The content without what is ours; nil when the file is there for us alone.
  private static func unmade(
    _ edits: [any FileEdit], _ file: ToolFile
  ) throws(Failure) -> [UInt8]? {
    guard let present = file.content else { return nil }
    let former = try ToolFile(path: file.backupPath).content
    // Nothing else was changed since: what was there before may have said some of it already.
    if let former, try made(edits, former, file.path) == present { return former }
    let content = try edited(edits.reversed(), present, file.path) {
      edit, content throws(EditProblem) in
      try edit.unmade(in: content)
    }
    guard content != present, let edit = edits.first, edit.isEmpty(content) else { return content }
    return former.map { edit.isEmpty($0) ? $0 : content } ?? nil
  }

  private static func edited(
    _ edits: [any FileEdit], _ content: [UInt8]?, _ path: String,
    _ step: (any FileEdit, [UInt8]) throws(EditProblem) -> [UInt8]
  ) throws(Failure) -> [UInt8] {
    var content = content ?? []
    do throws(EditProblem) {
      for edit in edits { content = try step(edit, content) }
    } catch {
      throw Failure(.fixTheInput, "\(path) is left as it is: \(error.reason)")
    }
    return content
  }

  private static func unusable(_ path: String) -> Failure {
    Failure(.fixTheCall, "\(path) cannot be changed: \(String(cString: strerror(errno)))")
  }
}
