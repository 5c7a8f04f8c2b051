import CCurl
import Glibc

/// HTTP over libcurl: one blocking exchange at a time, HTTPS only but for loopback.
///
/// Connections and TLS sessions are kept between exchanges. It belongs to one thread. The process
/// should not die of `SIGPIPE`; libcurl from 7.87 on sends without raising it.
public final class CurlClient: HTTPClient {
  private let settings: TransportSettings
  private let handle: UnsafeMutableRawPointer?
  private let errorText: UnsafeMutablePointer<CChar>

  /// `curl_global_init`, once for the process.
  private static let isStarted = ccurl_global_init() == CURLE_OK

  /// Makes a client; nothing is opened, read or sent yet.
  public init(settings: TransportSettings) {
    self.settings = settings
    handle = Self.isStarted ? curl_easy_init() : nil
    errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
  }

  deinit {
    curl_easy_cleanup(handle)
    errorText.deallocate()
  }

  /// Sends a request and returns the whole answer, whatever its status.
  ///
  /// Method and fields are checked against injection, the URL as ``TransportSettings`` says.
  /// No redirect is followed; no cookie, `.netrc` or environment of the process is used. A request
  /// other than `GET` and `HEAD` is never sent twice.
  ///
  /// - Parameter request: the request to send; its body is read in place and not copied.
  /// - Returns: the answer, complete and within the limits.
  /// - Throws: `HTTPError`. After `unreachable`, `timedOut` and `broken` the server may or may not
  ///   have acted on the request.
  public func send(_ request: HTTPRequest) throws(HTTPError) -> HTTPResponse {
    try exchange(
      request, nil,
      Reception(
        maximumHeaderBytes: settings.maximumHeaderBytes,
        maximumBodyBytes: settings.maximumBodyBytes))
  }

  /// Sends a request and passes the answer's body on while it arrives; otherwise as ``send(_:)``.
  ///
  /// - Parameters:
  ///   - request: the request to send.
  ///   - upload: a body to read while it is sent, in place of the request's own.
  ///   - receive: takes the status and a piece of the body, decoded; false stops the exchange.
  /// - Returns: the answer without its body.
  /// - Throws: `HTTPError`; by then `receive` may have seen a part of the body.
  public func stream(
    _ request: HTTPRequest, _ upload: HTTPUpload? = nil,
    to receive: @escaping (Int, UnsafeRawBufferPointer) -> Bool
  ) throws(HTTPError) -> HTTPResponse {
    try exchange(
      request, upload,
      Reception(
        maximumHeaderBytes: settings.maximumHeaderBytes,
        maximumBodyBytes: settings.maximumBodyBytes, receive: receive))
  }

  private func exchange(
    _ request: HTTPRequest, _ upload: HTTPUpload?, _ reception: Reception
  ) throws(HTTPError) -> HTTPResponse {
    let target = try RequestTarget(request.url, allowsPlainHTTP: settings.allowsPlainHTTP)
    let fields = try RequestFields(request.headers)
    try Self.checkMethod(request)
    let proxy = try ProxyChoice.forTarget(target, settings)
    let trust = target.isSecure ? try TrustFiles(settings) : nil
    guard let handle else { throw .misconfigured(reason: "libcurl cannot be started") }

    let source = upload.map(UploadSource.init)
    // Everything set below points into this call: nothing of it may stay behind.
    defer { curl_easy_reset(handle) }
    errorText.pointee = 0
    var options = TransferOptions(handle)
    options.setTarget(
      target, proxy, noProxy: settings.variable("no_proxy", "NO_PROXY")?.value ?? "")
    if let trust { options.setTrust(trust) }
    options.setLimits(settings, isHead: request.method == "HEAD")
    options.setMethod(request, fields)
    options.setReception(reception, errorText: errorText)
    if let source { options.setUpload(source) }

    let code = withExtendedLifetime((target, fields, reception, source)) {
      Self.perform(&options, request, hasUpload: source != nil)
    }
    let transfer = FinishedTransfer(
      handle: handle, code: code, text: String(cString: errorText), target: target, proxy: proxy,
      settings: settings, reception: reception)
    return try transfer.response()
  }

  private static func perform(
    _ options: inout TransferOptions, _ request: HTTPRequest, hasUpload: Bool
  ) -> CURLcode {
    // RFC 9110 §8.6: "A user agent SHOULD send Content-Length in a request when the method
    // defines a meaning for enclosed content", even if it is 0.
    let isExpected = ["POST", "PUT", "PATCH"].contains(request.method)
    guard !hasUpload, let body = request.body ?? (isExpected ? [] : nil) else {
      return options.result == CURLE_OK ? curl_easy_perform(options.handle) : options.result
    }
    return body.withUnsafeBytes { bytes in
      options.setBody(bytes)
      return options.result == CURLE_OK ? curl_easy_perform(options.handle) : options.result
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
