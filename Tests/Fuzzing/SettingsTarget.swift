import Credentials

@testable import coder_cred_engine

extension FuzzTarget {
  /// The settings file, as the fast path reads it and as GKeyFile does.
  static let settingsFile = FuzzTarget(name: "settings-file") { bytes in
    let settings = try? Settings(bytes)
    _ = settings?.objections()
    if settings == nil { _ = SettingsFault.reason(in: bytes) }
    guard let plain = PlainSettings(bytes) else { return }
    guard let settings else {
      return expect(false, "what the fast path reads, the full program reads")
    }
    // Every group that either may have found.
    var places: [Deployment?] = [nil]
    for line in bytes.split(separator: 0x0A) {
      let name = line.dropFirst().prefix { $0 != UInt8(ascii: "]") }.text
      for url in [name, name.replacing("%5B", with: "[").replacing("%5D", with: "]")] {
        if let deployment = try? Deployment(url: url) { places.append(deployment) }
      }
    }
    let keys = Set(settings.entries.map(\.key)).union(SettingKey.all.map(\.name))
    for place in places.prefix(16) {
      for key in keys where key.utf8.count < 100 {
        expect(
          plain.text(key, for: place) == settings.text(key, for: place),
          "\(key) for \(place?.url ?? "all") is the same to both")
      }
    }
  }
}
