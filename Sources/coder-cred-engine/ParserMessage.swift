/// What the argument parser says of a wrong call, as one line.
enum ParserMessage {
  /// The parser lists the values of an option one a line; here they stand in the sentence.
  static func oneLine(_ message: String) -> String {
    let lines = message.utf8.split(separator: UInt8(ascii: "\n")).compactMap(String.init)
    let values = lines.filter { $0.hasPrefix("  - ") }.map { String($0.dropFirst(4)) }
    let sentence = lines.filter { !$0.hasPrefix("  - ") }.joined(separator: " ")
    guard !values.isEmpty else { return sentence }
    let opening = sentence.replacing("one of the following:", with: "one of")
    return "\(opening) \(values.joined(separator: ", "))"
  }
}
