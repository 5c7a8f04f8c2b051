extension String {
  /// As one word of a shell: as it is where no shell would take it for anything else, in single quotes
  /// elsewhere.
  var shellWord: String {
    let isPlain = utf8.allSatisfy {
      (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
        || "-_./+@".utf8.contains($0)
    }
    return isPlain && !isEmpty ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
