/// A body that is read while it is sent.
public struct HTTPUpload {
  /// The body's size in bytes; nil when it is not known yet.
  public let size: Int?
  /// Fills a buffer from its beginning; 0 is the end, nil a failure.
  public let read: (UnsafeMutableRawBufferPointer) -> Int?

  /// Makes a body of the bytes that a function reads.
  public init(size: Int?, read: @escaping (UnsafeMutableRawBufferPointer) -> Int?) {
    self.size = size
    self.read = read
  }
}

/// The upload as libcurl's callback sees it.
final class UploadSource {
  let upload: HTTPUpload

  init(_ upload: HTTPUpload) {
    self.upload = upload
  }
}
