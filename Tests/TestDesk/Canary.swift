import Foundation

/// A canary token: a word that no text holds by chance, planted in secrets to see where they go.
package struct Canary: Sendable {
  /// Twelve letters: the shortest of the deployment's secrets leave room for no more.
  package let word: String
  /// The word, and what base64 makes of it wherever in a text it stands, as in an HTTP field.
  private let spellings: [Data]

  /// A new word.
  package init() {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    word = "cnry" + String((0..<8).compactMap { _ in letters.randomElement() })
    let bytes = Array(word.utf8)
    let encoded = (0..<3).map { offset in
      // Only groups of three bytes that lie wholly in the word are the same everywhere.
      let whole = bytes.dropFirst(offset).prefix((bytes.count - offset) / 3 * 3)
      return Data(Data(whole).base64EncodedString().utf8)
    }
    spellings = [Data(bytes)] + encoded
  }

  /// Whether these bytes hold a secret.
  package func isIn(_ bytes: some Sequence<UInt8>) -> Bool {
    let data = Data(bytes)
    return spellings.contains { data.range(of: $0) != nil }
  }

  /// Whether this text holds a secret.
  package func isIn(_ text: String) -> Bool { isIn(text.utf8) }

  /// The files below a directory that hold a secret in their content or their name.
  package func files(below directory: String, except excluded: String) -> [String] {
    let paths =
      FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
    return paths.map { "\(directory)/\($0)" }.filter { path in
      guard !path.hasPrefix(excluded + "/") else { return false }
      if path.contains(word) { return true }
      // A socket or pipe keeps nothing, and reading one would wait for ever.
      let type = try? FileManager.default.attributesOfItem(atPath: path)[.type]
      guard type as? FileAttributeType == .typeRegular else { return false }
      guard let content = FileManager.default.contents(atPath: path) else { return false }
      return isIn(content)
    }
  }
}
