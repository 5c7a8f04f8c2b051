/// A gzip file (RFC 1952) of blanks, at about one byte for 158.
enum Gzip {
  static func blanks(mebibytes: Int) -> [UInt8] {
    let total = max(1, mebibytes) << 20
    var bits = BitWriter()
    bits.bytes = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    // RFC 1951 section 3.2.6: one final block with the fixed Huffman codes.
    bits.append(1, count: 1)
    bits.append(1, count: 2)
    var left = total
    literal(0x20, into: &bits)
    left -= 1
    while left >= 258 {
      // Length 258 is symbol 285, an eight-bit code; distance 1 is symbol 0 in five bits.
      bits.appendCode(0b1100_0101, count: 8)
      bits.append(0, count: 5)
      left -= 258
    }
    for _ in 0..<left { literal(0x20, into: &bits) }
    bits.append(0, count: 7)
    bits.flush()
    for word in [checksum(of: 0x20, count: total), UInt32(truncatingIfNeeded: total)] {
      for shift: UInt32 in [0, 8, 16, 24] {
        bits.bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return bits.bytes
  }

  private static func literal(_ byte: UInt32, into bits: inout BitWriter) {
    bits.appendCode(0x30 + byte, count: 8)
  }

  private struct BitWriter {
    var bytes: [UInt8] = []
    private var pending: UInt32 = 0
    private var filled: UInt32 = 0

    /// Least significant bit first, as everything but Huffman codes is packed.
    mutating func append(_ value: UInt32, count: UInt32) {
      pending |= value << filled
      filled += count
      while filled >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        filled -= 8
      }
    }

    /// Most significant bit first.
    mutating func appendCode(_ code: UInt32, count: UInt32) {
      for index in (0..<count).reversed() { append(code >> index & 1, count: 1) }
    }

    mutating func flush() {
      if filled > 0 { append(0, count: 8 - filled) }
    }
  }

  private static func checksum(of byte: UInt32, count: Int) -> UInt32 {
    var step = byte
    var table: [UInt32] = []
    for index: UInt32 in 0..<256 {
      step = index
      for _ in 0..<8 { step = step & 1 == 1 ? 0xedb8_8320 ^ (step >> 1) : step >> 1 }
      table.append(step)
    }
    var value: UInt32 = 0xffff_ffff
    for _ in 0..<count { value = table[Int((value ^ byte) & 0xff)] ^ (value >> 8) }
    return ~value
  }
}
