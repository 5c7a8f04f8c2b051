/// Reads what a message holds, from its first byte on; never past its end.
public struct MessageReader {
  private let bytes: [UInt8]
  private var index: Int

  /// Starts at the first byte, or at another; the first must stand at a multiple of 8.
  public init(_ bytes: [UInt8], at index: Int = 0) {
    self.bytes = bytes
    self.index = min(max(0, index), bytes.count)
  }

  /// A BYTE.
  public mutating func byte() throws(BusError) -> UInt8 {
    try take(1).first ?? 0
  }

  /// A UINT32.
  public mutating func number() throws(BusError) -> Int {
    try align(4)
    return try take(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  /// A STRING or OBJECT_PATH.
  public mutating func text() throws(BusError) -> String {
    try text(length: number())
  }

  /// A SIGNATURE, also the one that a VARIANT begins with.
  public mutating func signature() throws(BusError) -> String {
    try text(length: Int(byte()))
  }

  /// An ARRAY of bytes.
  public mutating func data() throws(BusError) -> ArraySlice<UInt8> {
    try take(number())
  }

  /// An ARRAY whose elements begin at multiples of `alignment`.
  public mutating func array(
    alignment: Int, _ element: (inout MessageReader) throws(BusError) -> Void
  ) throws(BusError) {
    let length = try number()
    try align(alignment)
    guard length <= bytes.count - index else { throw .malformed }
    let end = index + length
    while index < end {
      try align(alignment)
      try element(&self)
    }
    guard index == end else { throw .malformed }
  }

  /// An ARRAY of STRING or OBJECT_PATH.
  public mutating func texts() throws(BusError) -> [String] {
    var texts: [String] = []
    try array(alignment: 4) { text throws(BusError) in texts.append(try text.text()) }
    return texts
  }

  /// A dictionary of strings; of two values for one name the last counts.
  public mutating func pairs() throws(BusError) -> [String: String] {
    var pairs: [String: String] = [:]
    try array(alignment: 8) { pair throws(BusError) in
      let name = try pair.text()
      pairs[name] = try pair.text()
    }
    return pairs
  }

  /// Skips to a multiple of `size`.
  mutating func align(_ size: Int) throws(BusError) {
    _ = try take((size - index % size) % size)
  }

  private mutating func text(length: Int) throws(BusError) -> String {
    let content = try take(length)
    // A reader in C would take what stands before a NUL for the whole.
    guard !content.contains(0), let text = String(validating: content, as: UTF8.self),
      try byte() == 0
    else { throw .malformed }
    return text
  }

  private mutating func take(_ count: Int) throws(BusError) -> ArraySlice<UInt8> {
    guard count <= bytes.count - index else { throw .malformed }
    defer { index += count }
    return bytes[index..<(index + count)]
  }
}
