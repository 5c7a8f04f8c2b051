import Credentials
import Secrets
import Testing

@Suite struct `A payload` {
  @Test func `is one line of compact JSON`() throws {
    var payload = Payload()
    payload[number: "v"] = 1
    payload[text: "url"] = "https://h"
    payload[text: "absent"] = nil
    #expect(try payload.encoded() == #"{"v":1,"url":"https://h"}"#)
  }

  @Test(arguments: [
    #"quote " backslash \ percent %41"#, "line\nbreak\r\ttab\u{0}\u{7F}", " blanks ", "ünïcödé 🔑",
    "",
  ])
  func `keeps any text without a character that keyrings corrupt`(text: String) throws {
    var payload = Payload()
    payload[text: "password"] = text
    let line = try payload.encoded()
    #expect(line.revealed.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x5C })
    #expect(try Payload(parsing: line)[text: "password"] == text)
  }

  @Test(arguments: [
    "a%22b", "a%5Cn", "%0A", "%00", "%25", "%7F", "", "%22:1,%22access_token", "\u{E4}",
  ])
  func `keeps the names of fields that it does not know`(name: String) throws {
    for value in ["1", "\"x\""] {
      let payload = try Payload(parsing: Secret("{\"\(name)\":\(value),\"b\":2}"))
      #expect(try payload.encoded() == Secret("{\"\(name)\":\(value),\"b\":2}"))
    }
  }

  @Test(arguments: [Int64.min, -1, 0, 1, Int64.max])
  func `keeps any whole number`(number: Int64) throws {
    var payload = Payload()
    payload[number: "n"] = number
    #expect(try Payload(parsing: payload.encoded())[number: "n"] == number)
  }

  @Test(arguments: [
    "", "x", "[]", "{", "{}x", #"{"a"}"#, #"{"a":}"#, #"{"a":"b"#, #"{"a":"\n"}"#,
    #"{"a":"\u0041"}"#,
    #"{"a":{"b":1}}"#, #"{"a":[1]}"#, #"{"a":1.5}"#, #"{"a":1e3}"#, #"{"a":--1}"#, #"{"a":true}"#,
    #"{"a":99999999999999999999}"#, #"{"a":1,"a":2}"#, #"{"a":"%4"}"#, #"{"a":"%FF"}"#,
    #"{"a":1,}"#,
    "{\"a\":\"line\nbreak\"}",
  ])
  func `that is anything else is refused`(text: String) {
    #expect(throws: MalformedInput.self) { try Payload(parsing: Secret(text)) }
  }

  @Test func `may have been laid out by hand`() throws {
    let payload = try Payload(parsing: "{ \"a\" : 1 ,\n\t\"b\" : \"c\" , \"d\" : null }\n")
    #expect(payload[number: "a"] == 1)
    #expect(payload[text: "b"] == "c")
    #expect(payload[text: "d"] == nil)
  }

  @Test func `is neither written nor read beyond 64 KiB`() {
    var payload = Payload()
    payload[text: "x"] = String(repeating: "x", count: 65_536)
    #expect(throws: MalformedInput.self) { try payload.encoded() }
    let large = Secret("{\"x\":\"" + String(repeating: "x", count: 70_000) + "\"}")
    #expect(throws: MalformedInput.self) { try Payload(parsing: large) }
  }
}
