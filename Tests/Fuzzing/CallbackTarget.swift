import Secrets

@testable import OAuth

extension FuzzTarget {
  /// What comes to the loopback port while somebody signs in, and what is pasted instead.
  ///
  /// `STATE` stands for the state of the request: nobody guesses it.
  static let callbackRequest = FuzzTarget(name: "callback-request", maximumBytes: 8192) { bytes in
    let state = State()
    let expected = AuthorizationResponse.Expectation(
      state: state, issuer: "https://dev.example.com", requiresIssuer: bytes.count % 2 == 0)
    let text = bytes.text.replacing("STATE", with: state.value)
    expectNothingWithoutState(bytes.text, expected)
    let request = Array(text.utf8)
    if case .complete(let whole) = CallbackRequest.read(request) {
      expect(whole.path.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "a path is one word")
      expect(whole.query.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "so is a query")
      // However its bytes arrive, it is the same request, once it is whole.
      for count in stride(from: 0, to: request.count, by: max(1, request.count / 16)) {
        guard case .complete(let part) = CallbackRequest.read(Array(request[..<count])) else {
          continue
        }
        expect(
          part.method == whole.method && part.path == whole.path && part.query == whole.query
            && part.hosts == whole.hosts && part.isPrefetch == whole.isPrefetch,
          "what follows a request changes nothing of it")
      }
      expectUsable(whole.query, expected)
    } else if case .malformed = CallbackRequest.read(request) {
      expect(!request.isEmpty, "nothing is not malformed")
    }
    expectUsable(text, expected)
    if let response = try? AuthorizationResponse(pasted: text, expected: expected) {
      let visible = String(decoding: request.filter { (0x21...0x7E).contains($0) }, as: UTF8.self)
      expect(response.code.isWord, "a pasted code is one word")
      expect(
        !response.hasState || visible.contains(state.value), "the state was pasted"
      )
    }
    if let digest = State.digest(inQuery: text), digest == state.digest {
      expect(text.contains(state.value), "a digest is that of the state")
    }
  }
}

private func expectUsable(_ query: String, _ expected: AuthorizationResponse.Expectation) {
  do throws(OAuthError) {
    guard let response = try AuthorizationResponse(query: query, expected: expected) else { return }
    expect(response.hasState && response.code.isWord, "a code is one word, with the state")
  } catch {
    expect(query.contains(expected.state.value), "a response without our state is no failure")
    if case .authorizationFailed(let response) = error {
      expect(
        ForeignText.terminalLine(response.summary) == response.summary,
        "an error is fit for a terminal")
    }
  }
}

/// Without the state nothing is a response, not even a refusal.
private func expectNothingWithoutState(
  _ query: String, _ expected: AuthorizationResponse.Expectation
) {
  do throws(OAuthError) {
    let response = try AuthorizationResponse(query: query, expected: expected)
    expect(response == nil, "a response has the state")
  } catch {
    expect(false, "a response without the state is ignored")
  }
}
