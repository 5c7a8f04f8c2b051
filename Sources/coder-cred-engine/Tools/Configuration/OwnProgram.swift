import Glibc

/// Our programs as tools are told to run them.
struct OwnProgram {
  /// By its name where that is found on the path and means us, else by its absolute path.
  let word: String
  /// Its absolute path.
  let path: String

  /// A program of which nothing is known but its name.
  init(word: String, path: String) { (self.word, self.path) = (word, path) }

  /// One of our names, `coder-cred` or a tool's.
  ///
  /// - Throws: when it is not installed.
  init(_ name: String, _ environment: Environment) throws(Failure) {
    let directory = Self.directory
    let places: [String] = ["\(directory)/\(name)", "\(directory)/../../bin/\(name)"].filter {
      access($0, X_OK) == 0
    }
    let onPath = ChildProgram.executable(named: name, environment)
    if let onPath, places.isEmpty || places.contains(where: { Self.isSame($0, onPath) }) {
      (word, path) = (name, onPath)
    } else if let place = places.first.flatMap({ Self.withoutDots($0) }) {
      (word, path) = (place, place)
    } else {
      throw Failure(
        .fixTheCall, "\(name) is not installed",
        hint: "make a link of that name to coder-cred on your PATH")
    }
  }

  /// Where this very program is.
  private static var directory: String {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &path, path.count - 1)
    let own = String(decoding: path[..<max(0, length)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return own.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(own[..<$0]) } ?? "/"
  }

  /// The path with its `..` resolved, and a link at its end kept: the link is the name.
  private static func withoutDots(_ place: String) -> String? {
    guard let slash = place.utf8.lastIndex(of: UInt8(ascii: "/")),
      let directory = realpath(String(place[..<slash]), nil)
    else { return nil }
    defer { free(directory) }
    return String(cString: directory) + place[slash...]
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }
}
