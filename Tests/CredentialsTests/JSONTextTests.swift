import Glibc
import Testing

@testable import Credentials

@Suite("JSON text")
struct JSONTextTests {
  /// What the C library says of a time.
  private func expected(_ seconds: Int64) -> String {
    var time = time_t(seconds)
    var parts = tm()
    gmtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  @Test func `tells the date of every day of four hundred years`() {
    let wrong = (0..<146_097).map { Int64($0) * 86_400 + Int64($0) % 86_400 }.filter {
      JSONText.timestamp($0) != expected($0)
    }
    #expect(wrong.isEmpty)
  }

  @Test func `tells the first and the last second of every month to the end`() {
    var wrong: [Int64] = []
    for year in 1970...9999 {
      for month in 0..<12 {
        var first = tm()
        (first.tm_year, first.tm_mon, first.tm_mday) = (Int32(year - 1900), Int32(month), 1)
        let start = Int64(timegm(&first))
        wrong += [start, start - 1].filter { $0 >= 0 && JSONText.timestamp($0) != expected($0) }
      }
    }
    #expect(wrong.isEmpty)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
    (1_709_251_199, "2024-02-29T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
    (253_402_300_799, "9999-12-31T23:59:59Z"),
  ])
  func `tells a time in UTC`(seconds: Int64, text: String) {
    #expect(JSONText.timestamp(seconds) == text)
  }

  @Test(arguments: [-1, 253_402_300_800, .max, .min] as [Int64])
  func `tells no time that RFC 3339 cannot write`(seconds: Int64) {
    #expect(JSONText.timestamp(seconds) == nil)
  }
}
