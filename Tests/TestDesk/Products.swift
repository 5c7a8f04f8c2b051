import Foundation

/// The programs this package builds.
package enum Products {
  /// The path of a built product, which lies beside the running test bundle.
  ///
  /// Throws ``Missing`` when it was not built.
  package static func executable(_ name: String) throws -> String {
    for directory in directories {
      let path = "\(directory)/\(name)"
      if access(path, X_OK) == 0 { return path }
    }
    throw Missing(name: name, directories: directories)
  }

  /// A product that is nowhere to be found.
  package struct Missing: Error, CustomStringConvertible {
    let name: String
    let directories: [String]
    /// For whoever reads the test's log.
    package var description: String { "\(name) is in none of \(directories)" }
  }

  /// Where the running program lies, and where its arguments say the test bundle is.
  private static let directories: [String] = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let bundles = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
    return ([own] + bundles).map { ($0 as NSString).deletingLastPathComponent }
  }()
}
