extension ToolConfiguration {
  /// Terraform: it finds its credentials helper among its plugins, not on the path.
  static func terraform(_ request: ConfigurationRequest) throws -> ToolConfiguration {
    let program = try request.program().path
    let path =
      try request.file ?? request.environment["TF_CLI_CONFIG_FILE"]
      ?? request.home() + "/.terraformrc"
    let link = try "\(request.home())/.terraform.d/plugins/\(TerraformProtocol.name)"
    let block = MarkedBlock(
      name: "terraform", lines: ["credentials_helper \"coder-cred\" {", "  args = []", "}"],
      check: { others throws(EditProblem) in
        let words = try HCLWords(others)
        if words.outermost.contains("credentials_helper") { throw .taken("a credentials_helper") }
      })
    return ToolConfiguration(changes: [.file(path, [block]), .link(link, to: program)])
  }
}

/// As much of HCL's native syntax as tells a broken file from a sound one: strings, comments, and
/// the nesting of brackets.
private struct HCLWords {
  /// The words outside of all brackets.
  private(set) var outermost: [String] = []

  init(_ content: [UInt8]) throws(EditProblem) {
    var brackets: [UInt8] = []
    var word: [UInt8] = []
    var rest = content[...]
    while let byte = rest.first {
      let isWord = (0x61...0x7A).contains(byte | 0x20) || byte == UInt8(ascii: "_")
      if isWord { word.append(byte) }
      if !isWord || rest.count == 1 {
        if brackets.isEmpty, !word.isEmpty {
          outermost.append(String(decoding: word, as: UTF8.self))
        }
        word = []
      }
      rest = rest.dropFirst()
      switch byte {
      case UInt8(ascii: "\""):
        while let next = rest.first, next != UInt8(ascii: "\""), next != UInt8(ascii: "\n") {
          rest = rest.dropFirst(next == 0x5C ? 2 : 1)
        }
        guard rest.popFirst() == UInt8(ascii: "\"") else { throw EditProblem("a string is open") }
      case UInt8(ascii: "#"): rest = rest.drop { $0 != UInt8(ascii: "\n") }
      case UInt8(ascii: "/") where rest.first == byte:
        rest = rest.drop { $0 != UInt8(ascii: "\n") }
      case UInt8(ascii: "/") where rest.first == UInt8(ascii: "*"):
        while !rest.isEmpty, !rest.starts(with: "*/".utf8) { rest = rest.dropFirst() }
        guard !rest.isEmpty else { throw EditProblem("a comment is open") }
        rest = rest.dropFirst(2)
      case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("): brackets.append(byte)
      case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"):
        // The closing ones follow two places after the opening ones in ASCII, or one.
        guard let open = brackets.popLast(), byte - open <= 2, byte > open else {
          throw EditProblem("its brackets do not match")
        }
      default: break
      }
    }
    guard brackets.isEmpty else { throw EditProblem("a bracket is open") }
  }
}
