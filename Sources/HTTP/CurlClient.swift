import CCurl
import Glibc

/// HTTP over libcurl: one blocking exchange at a time, HTTPS only but for loopback.
///
/// Connections and TLS sessions are kept between exchanges. It belongs to one thread. The process
/// should not die of `SIGPIPE`; libcurl from 7.87 on sends without raising it.
public final class CurlClient: HTTPClient {
  private let settings: TransportSettings
  private var openedHandle: UnsafeMutableRawPointer?
  private let errorText: UnsafeMutablePointer<CChar>

  /// Makes a client; nothing is loaded, opened, read or sent yet.
  public init(settings: TransportSettings) {
    self.settings = settings
    errorText = .allocate(capacity: ccurl_error_size)
    errorText.initialize(repeating: 0, count: ccurl_error_size)
  }

  deinit {
    if let openedHandle { ccurl_easy_cleanup(openedHandle) }
    errorText.deallocate()
  }

  /// Sends a request and returns the whole response, whatever its status.
  ///
  /// Method and fields are checked against injection, the URL as ``TransportSettings`` says.
  /// No redirect is followed; no cookie, `.netrc` or environment of the process is used. A request
  /// other than `GET` and `HEAD` is never sent twice.
  ///
  /// - Parameter request: the request to send; its body is read in place and not copied.
  /// - Returns: the response, complete and within the limits.
  /// - Throws: `HTTPError`. After `timedOut`, `clientCertificateRejected`, `tooLarge` and `broken`
  ///   the server may have acted on the request; after the others nothing was sent.
  public func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    try exchange(
      request, nil,
      IncomingResponse(
        maximumHeaderBytes: settings.maximumHeaderBytes,
        maximumBodyBytes: settings.maximumBodyBytes))
  }

  /// Sends a request and passes the response's body on while it arrives; otherwise as ``send(_:)``.
  ///
  /// - Parameters:
  ///   - request: the request to send.
  ///   - upload: a body to read while it is sent, in place of the request's own.
  ///   - begin: takes the version of the protocol, such as `HTTP/1.1`, and the response without its
  ///     body, before the body comes.
  ///   - receive: takes the status and a piece of the body, decoded; false stops the exchange.
  /// - Returns: the response without its body.
  /// - Throws: `HTTPError`; by then `receive` may have seen a part of the body.
  public func stream(
    _ request: HTTPRequest, _ upload: HTTPUpload? = nil,
    beginning begin: @escaping (String, HTTPResponse) -> Void = { _, _ in },
    to receive: @escaping (Int, UnsafeRawBufferPointer) -> Bool
  ) throws(HTTPError) -> HTTPResponse {
    try exchange(
      request, upload,
      IncomingResponse(
        maximumHeaderBytes: settings.maximumHeaderBytes,
        maximumBodyBytes: settings.maximumBodyBytes, begin: begin, receive: receive))
  }

  private func exchange(
    _ request: HTTPRequest, _ upload: HTTPUpload?, _ response: IncomingResponse
  ) throws(HTTPError) -> HTTPResponse {
    try CurlLibrary.load()
    let target = try RequestTarget(request.url, allowsPlainHTTP: settings.allowsPlainHTTP)
    let headers = try HeaderList(request.headers)
    try Self.checkMethod(request)
    let proxy = try Proxy.forTarget(target, settings)
    let certificates = target.isSecure ? try CertificateFiles(settings) : nil
    let check = ConnectionCheck(
      refusesOtherUsers: !target.isSecure && target.isLoopback && !settings.allowsPlainHTTP)
    let source = upload.map(UploadSource.init)
    let handle = try handle()
    // Everything set below points into this call: nothing of it may stay behind.
    defer { ccurl_easy_reset(handle) }
    errorText.pointee = 0
    var options = TransferOptions(handle)
    options.setTarget(target, proxy)
    if let certificates { options.setTrust(certificates) }
    options.setCheck(check)
    options.setLimits(settings, isHead: request.method == "HEAD")
    options.setMethod(request, headers)
    options.setResponse(response, errorText: errorText)
    if let source { options.setUpload(source) }

    let code = withExtendedLifetime((target, headers, check, response, source)) {
      Self.perform(&options, request, hasUpload: source != nil)
    }
    let transfer = FinishedTransfer(
      handle: handle, code: code, text: String(cString: errorText), target: target, proxy: proxy,
      settings: settings, check: check, incoming: response,
      takesCutOffBody: request.takesCutOffBody)
    let complete = try transfer.response()
    response.passOnHead()
    return complete
  }

  private func handle() throws(HTTPError) -> UnsafeMutableRawPointer {
    if let openedHandle { return openedHandle }
    guard let handle = ccurl_easy_init() else {
      throw .libraryUnusable(reason: "libcurl has no memory for a transfer")
    }
    openedHandle = handle
    return handle
  }

  private static func perform(
    _ options: inout TransferOptions, _ request: HTTPRequest, hasUpload: Bool
  ) -> CURLcode {
    // RFC 9110 §8.6: "A user agent SHOULD send Content-Length in a request when the method
    // defines a meaning for enclosed content", even if it is 0.
    let isExpected = ["POST", "PUT", "PATCH"].contains(request.method)
    guard !hasUpload, let body = request.body ?? (isExpected ? [] : nil) else {
      return options.result == CURLE_OK ? ccurl_easy_perform(options.handle) : options.result
    }
    return body.withUnsafeBytes { bytes in
      options.setBody(bytes)
      return options.result == CURLE_OK ? ccurl_easy_perform(options.handle) : options.result
    }
  }

  private static func checkMethod(_ request: HTTPRequest) throws(HTTPError) {
    let isUpperCase = request.method.utf8.allSatisfy {
      UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
    }
    guard isUpperCase, !request.method.isEmpty, request.method != "CONNECT",
      request.method != "TRACE"
    else {
      throw .refusedURL(reason: "the method is not one that can be sent")
    }
    guard request.method != "HEAD" || request.body == nil else {
      throw .refusedURL(reason: "a HEAD request has no body")
    }
  }
}
