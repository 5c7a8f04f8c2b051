internal import CSecret

/// libsecret's `SecretService`, on a connection of our choosing.
///
/// libsecret's constructor (0.20 and 0.21) insists on GLib's shared session connection, of which a
/// process has one for good and which ends the process when it closes. This subclass gives the last
/// word back to whoever constructs: nothing else is different.
enum ConnectedService {
  /// - Throws: what GLib says; nothing is sent on the bus yet.
  static func make(on bus: Bus) throws(SecretServiceError) -> UnsafeMutablePointer<
    CSecret.SecretService
  > {
    var error: UnsafeMutablePointer<GError>?
    let made = csecret_service_new(
      type, bus.connection, bus.owner, Int32(clamping: bus.timeoutSeconds * 1000), &error)
    guard let made else { throw SecretServiceError(consuming: error) }
    return made
  }

  private static let type: GType = {
    var parent = GTypeQuery()
    g_type_query(secret_service_get_type(), &parent)
    return g_type_register_static_simple(
      secret_service_get_type(), "CoderCredSecretService", parent.class_size,
      { own, _ in
        own?.assumingMemoryBound(to: GObjectClass.self).pointee.constructor = construct
      },
      parent.instance_size, nil, GTypeFlags(rawValue: 0))
  }()

  private static let construct:
    @convention(c) (GType, guint, UnsafeMutablePointer<GObjectConstructParam>?) ->
      UnsafeMutablePointer<GObject>? = { type, count, given in
        guard let parent = g_type_class_peek(secret_service_get_type()) else { return nil }
        let constructor = parent.assumingMemoryBound(to: GObjectClass.self).pointee.constructor
        guard let object = constructor?(type, count, given) else { return nil }
        for parameter in UnsafeBufferPointer(start: given, count: Int(count)) {
          guard let name = parameter.pspec.pointee.name else { continue }
          if ["g-bus-type", "g-flags", "g-name"].contains(String(cString: name)) {
            g_object_set_property(object, name, parameter.value)
          }
        }
        return object
      }
}
