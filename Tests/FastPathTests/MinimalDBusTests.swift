import Foundation
import TestDesk
import Testing

@testable import MinimalDBus

@Suite(.blocking) struct `D-Bus by hand` {
  /// A METHOD_RETURN to serial 2 that holds one STRING.
  static func reply(_ text: String) -> [UInt8] {
    let header: [UInt8] = [
      108, 2, 1, 1, UInt8(5 + text.utf8.count), 0, 0, 0, 9, 0, 0, 0, 15, 0, 0, 0,
      5, 1, 117, 0, 2, 0, 0, 0, 8, 1, 103, 0, 1, 115, 0, 0,
    ]
    return header + [UInt8(text.utf8.count), 0, 0, 0] + Array(text.utf8) + [0]
  }

  @Test func `A call is marshalled as the specification lays it out`() {
    let call = MethodCall(serial: 7, to: "a.b", "/", "c.d", "E", "a{ss}") {
      $0.append([("k", "v")])
    }
    let fields: [UInt8] = [
      1, 1, 111, 0, 1, 0, 0, 0, 47, 0, 0, 0, 0, 0, 0, 0,
      2, 1, 115, 0, 3, 0, 0, 0, 99, 46, 100, 0, 0, 0, 0, 0,
      3, 1, 115, 0, 1, 0, 0, 0, 69, 0, 0, 0, 0, 0, 0, 0,
      6, 1, 115, 0, 3, 0, 0, 0, 97, 46, 98, 0, 0, 0, 0, 0,
      8, 1, 103, 0, 5, 97, 123, 115, 115, 125, 0,
    ]
    let body: [UInt8] = [
      14, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 107, 0, 0, 0, 1, 0, 0, 0, 118, 0,
    ]
    let start: [UInt8] = [108, 1, 2, 1, 22, 0, 0, 0, 7, 0, 0, 0, UInt8(fields.count), 0, 0, 0]
    let padding = [UInt8](repeating: 0, count: (8 - fields.count % 8) % 8)
    #expect(call.bytes == start + fields + padding + body)
  }

  @Test func `A message is taken once it is whole`() throws {
    let bytes = Self.reply("hello")
    for count in 0..<bytes.count {
      #expect(try ReplyMessage(Array(bytes[..<count]), atMost: 4096) == nil)
    }
    let message = try #require(try ReplyMessage(bytes + [1, 2, 3], atMost: 4096))
    #expect(message.isReturn && message.replySerial == 2 && message.signature == "s")
    #expect(message.length == bytes.count)
    var reader = MessageReader(message.body)
    #expect(try reader.text() == "hello")
    #expect(throws: BusError.malformed) { try reader.byte() }
  }

  @Test(arguments: [0, 1, 4, 9, 42, 255] as [UInt8])
  func `A header field that is not known says nothing`(code: UInt8) throws {
    // In place of the serial's field, and of the signature's.
    var serial = Self.reply("hello")
    serial.replaceSubrange(16..<24, with: [code, 1, 117, 0, 9, 0, 0, 0])
    let first = try #require(try ReplyMessage(serial, atMost: 4096))
    #expect(first.replySerial == nil && first.signature == "s")
    var signature = Self.reply("hello")
    signature.replaceSubrange(24..<32, with: [code, 1, 103, 0, 1, 120, 0, 0])
    let second = try #require(try ReplyMessage(signature, atMost: 4096))
    #expect(second.replySerial == 2 && second.signature.isEmpty)
  }

  @Test(arguments: [
    (24, [5, 1, 117, 0, 9, 0, 0, 0]), (24, [8, 1, 117, 0, 9, 0, 0, 0]),
    (16, [8, 1, 103, 0, 1, 120, 0, 0]), (16, [5, 1, 103, 0, 1, 120, 0, 0]),
  ])
  func `A header field that comes twice, or with another type, is malformed`(
    start: Int, field: [UInt8]
  ) {
    var message = Self.reply("hello")
    message.replaceSubrange(start..<start + 8, with: field)
    #expect(throws: BusError.malformed) { try ReplyMessage(message, atMost: 4096) }
  }

  @Test(arguments: ["\0", "a\0", "\0a", "/a\0/b"])
  func `A text that holds a NUL is malformed`(text: String) throws {
    let message = try #require(try ReplyMessage(Self.reply(text), atMost: 4096))
    var reader = MessageReader(message.body)
    #expect(throws: BusError.malformed) { try reader.text() }
  }

  @Test func `No byte changed or cut in a message leads outside of it`() throws {
    let bytes = Self.reply("hello")
    for index in bytes.indices {
      for value: UInt8 in [0, 1, 7, 0x7F, 0x80, 0xFF] {
        var changed = bytes
        changed[index] = value
        do throws(BusError) {
          guard let message = try ReplyMessage(changed, atMost: 4096) else { continue }
          #expect(message.length <= changed.count)
          var reader = MessageReader(message.body)
          _ = try reader.text()
          try reader.array(alignment: 8) { element throws(BusError) in _ = try element.data() }
        } catch {
          #expect(error == .malformed)
        }
      }
    }
  }

  @Test func `Lengths beyond the end are refused`() {
    for bytes: [UInt8] in [
      [255, 255, 255, 255], [5, 0, 0, 0, 1], [4, 0, 0, 0, 255, 254, 253, 252, 0],
    ] {
      var text = MessageReader(bytes)
      #expect(throws: BusError.malformed) { try text.text() }
      var array = MessageReader(bytes)
      #expect(throws: BusError.malformed) {
        try array.array(alignment: 4) { element throws(BusError) in _ = try element.text() }
      }
    }
  }

  @Test(arguments: [
    "", "unix:", "unix:path=", "tcp:host=localhost,port=1", "unix:path=/x;unix:path=/y",
    "unix:path=/%41", "unix:tmpdir=/tmp", "unix:path=/x,other=1", "autolaunch:",
    "unix:path=/\(String(repeating: "x", count: 108))", "unix:path=/nowhere/at/all",
    "unix:abstract=nobody-listens-here",
  ])
  func `An address that is not one living Unix socket is no bus`(address: String) {
    #expect(throws: BusError.unavailable) { try BusConnection(address: address) }
  }

  @Test func `A bus tells who owns a name`() throws {
    let session = try PrivateDesktop(.withoutService)
    let name = "org.freedesktop.DBus"
    let bus = try BusConnection(
      address: session.busAddress,
      sending: MethodCall(serial: 2, to: name, "/", name, "GetNameOwner", "s") { $0.append(name) },
      MethodCall(serial: 3, to: name, "/", name, "GetNameOwner", "s") { $0.append("no.such.name") })
    var reader = try bus.reply(to: 2, "s")
    #expect(try reader.text() == name)
    #expect(throws: BusError.refused) { try bus.reply(to: 3, "s") }
    do {
      try bus.send([MethodCall(serial: 4, to: name, "/", name, "GetId")])
      #expect(throws: BusError.malformed) { try bus.reply(to: 4, "u") }
    }
  }
}
