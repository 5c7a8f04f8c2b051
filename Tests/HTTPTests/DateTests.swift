import HTTP
import Testing

@Suite struct `HTTP dates` {
  private let now: Int64 = 1_800_000_000

  @Test(arguments: [
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
  ])
  func `All three formats of RFC 9110 are read`(_ text: String) {
    #expect(HTTPDate.seconds(text, now: now) == 784_111_777)
  }

  @Test func `A year of two digits is at most fifty years ahead`() {
    #expect(HTTPDate.seconds("Friday, 15-Jan-27 08:00:10 GMT", now: now) == now + 10)
    #expect(HTTPDate.seconds("Sunday, 01-Jan-78 00:00:00 GMT", now: now) == 252_460_800)
    #expect(HTTPDate.seconds("Tuesday, 01-Jan-77 00:00:00 GMT", now: now) == 3_376_684_800)
  }

  @Test(arguments: [
    "", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 31 Feb 2027 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 94",
    "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "Sun, 06 Nov 1994 08:49",
    "1994-11-06T08:49:37Z", String(repeating: " ", count: 29), String(repeating: "9", count: 4000),
  ])
  func `What is no date is none`(_ text: String) {
    #expect(HTTPDate.seconds(text, now: now) == nil)
  }
}
