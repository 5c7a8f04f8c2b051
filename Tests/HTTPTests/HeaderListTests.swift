import Testing

@testable import HTTP

@Suite struct HeaderListTests {
  @Test func `A field there is no memory for is an error, not a request without it`() {
    #expect(
      throws: HTTPError.libraryUnusable(reason: "there is no memory for the request's header")
    ) {
      try HeaderList([HTTPField("Authorization", "Bearer \(canary)")]) { _, _ in nil }
    }
    // Those that every request has count as well.
    #expect(throws: HTTPError.self) { try HeaderList([]) { _, _ in nil } }
  }
}
