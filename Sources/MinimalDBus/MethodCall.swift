/// A method call on its way to a bus (D-Bus Specification, "Message Format"), little-endian.
public struct MethodCall {
  /// The message as it is sent.
  public private(set) var bytes: [UInt8] = []

  /// Makes a call that does not start the service it is for.
  ///
  /// - Parameters:
  ///   - serial: what the answer refers to; not 0.
  ///   - name: the program it is for.
  ///   - path: the object.
  ///   - interface: the interface.
  ///   - member: the method.
  ///   - signature: the types of the arguments.
  ///   - arguments: appends the arguments, of just these types.
  public init(
    serial: UInt32, to name: String, _ path: String, _ interface: String, _ member: String,
    _ signature: String = "", _ arguments: (inout MethodCall) -> Void = { _ in }
  ) {
    var body = MethodCall()
    arguments(&body)
    // Type METHOD_CALL; flag NO_AUTO_START, because starting a service takes longer than we wait.
    bytes = [UInt8(ascii: "l"), 1, 2, 1]
    append(UInt32(body.bytes.count))
    append(serial)
    appendArray { call in
      call.appendField(1, "o", path)
      call.appendField(2, "s", interface)
      call.appendField(3, "s", member)
      call.appendField(6, "s", name)
      if !signature.isEmpty {
        call.align(8)
        call.bytes += [8, 1, UInt8(ascii: "g"), 0, UInt8(signature.utf8.count)]
        call.bytes += Array(signature.utf8) + [0]
      }
    }
    align(8)
    bytes += body.bytes
  }

  /// Makes a call that reads a property (D-Bus Specification, "org.freedesktop.DBus.Properties").
  public init(
    serial: UInt32, to name: String, _ path: String, getting property: String,
    of interface: String
  ) {
    self.init(serial: serial, to: name, path, "org.freedesktop.DBus.Properties", "Get", "ss") {
      $0.append(interface)
      $0.append(property)
    }
  }

  private init() {}

  /// Appends a STRING or OBJECT_PATH.
  public mutating func append(_ text: String) {
    append(UInt32(text.utf8.count))
    bytes += Array(text.utf8) + [0]
  }

  /// Appends a VARIANT that holds a STRING.
  public mutating func append(variant text: String) {
    bytes += [1, UInt8(ascii: "s"), 0]
    append(text)
  }

  /// Appends a dictionary of strings.
  public mutating func append(_ pairs: [(String, String)]) {
    appendArray { call in
      for (key, value) in pairs {
        call.align(8)
        call.append(key)
        call.append(value)
      }
    }
  }

  private mutating func appendField(_ code: UInt8, _ type: Unicode.Scalar, _ text: String) {
    align(8)
    bytes += [code, 1, UInt8(ascii: type), 0]
    append(text)
  }

  /// Appends an ARRAY of elements that begin at multiples of 8; its length leaves out the padding
  /// before the first.
  private mutating func appendArray(_ elements: (inout MethodCall) -> Void) {
    append(0 as UInt32)
    let place = bytes.count - 4
    align(8)
    let start = bytes.count
    elements(&self)
    let length = UInt32(bytes.count - start)
    for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> (8 * index)) }
  }

  private mutating func append(_ number: UInt32) {
    align(4)
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  private mutating func align(_ size: Int) {
    while bytes.count % size != 0 { bytes.append(0) }
  }
}
