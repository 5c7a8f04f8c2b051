internal import CSecret

/// The service that owned `org.freedesktop.secrets` when we came.
final class ServiceConnection {
  let bus: OpaquePointer
  /// The unique bus name of the service.
  let owner: String
  let prompter: Prompter
  let loop: CallLoop
  /// Tells what was found over this connection from what an earlier one found.
  let generation: Int
  /// Whether the service says that it has collections at all.
  let hasCollections: Bool
  /// The D-Bus session for secrets that are read without encryption; nil until it is opened.
  var plainSession: String?
  /// What is known of the program behind it.
  let quirks: ServiceQuirks
  /// A name on the bus that was asked for along with the service, and is ours; nil once it is told.
  var claimedName: String?
  private var opened: UnsafeMutablePointer<CSecret.SecretService>?

  /// - Parameters:
  ///   - bus: the session's bus, as ``SessionBus/connect(_:)`` gives it.
  ///   - loop: what makes the calls.
  ///   - generation: the number of this connection.
  ///   - name: a name on the bus to ask for in the same round.
  /// - Throws: `accessDenied`, `noService`, `serviceGone`, `timedOut`.
  init(
    _ bus: OpaquePointer, _ loop: CallLoop, generation: Int, claiming name: String? = nil
  ) throws(SecretServiceError) {
    self.loop = loop
    self.generation = generation
    prompter = Prompter(loop: loop)
    let known = try Self.introduction(bus, loop, claiming: name)
    (owner, quirks, hasCollections) = (known.owner, known.quirks, known.hasCollections)
    claimedName = known.ownsName ? name : nil
    g_object_ref(UnsafeMutableRawPointer(bus))
    self.bus = bus
  }

  deinit {
    if let opened { g_object_unref(opened) }
    g_object_unref(UnsafeMutableRawPointer(bus))
  }

  /// libsecret's view of the service, for encryption, new items and prompts.
  func service() throws(SecretServiceError) -> UnsafeMutablePointer<CSecret.SecretService> {
    if let opened { return opened }
    try SecretLibrary.load()
    let fresh = try loop.call(
      { csecret_open(PromptingService.type, bus, owner, $0, $1, $2) },
      finish: { secret_service_open_finish($0, &$1) })
    guard let fresh else { throw .noService(reason: "libsecret did not open it") }
    PromptingService.setPrompter(prompter, of: fresh)
    opened = fresh
    return fresh
  }
}

/// Finding the service.
extension ServiceConnection {
  private static let name = "org.freedesktop.secrets"

  /// What is known of a service before anything else is asked of it.
  private struct Introduction {
    let owner: String
    let quirks: ServiceQuirks
    let hasCollections: Bool
    let ownsName: Bool
  }

  /// Who provides the service, started by the bus if need be, and what is known of that program.
  private static func introduction(
    _ bus: OpaquePointer, _ loop: CallLoop, claiming claimed: String?
  ) throws(SecretServiceError) -> Introduction {
    if let known = try currentIntroduction(bus, loop, claiming: claimed) { return known }
    do throws(SecretServiceError) {
      _ = try call(
        .ofBus("StartServiceByName", reply: "(u)"), [.string(name), .uint32(0)], bus, loop)
    } catch .accessDenied(let reason) {
      throw .accessDenied(reason: reason)
    } catch .timedOut {
      throw .timedOut
    } catch {
      throw .noService(reason: error.reason)
    }
    guard let known = try currentIntroduction(bus, loop, claiming: claimed) else {
      throw .noService(reason: "it ended as soon as it was started")
    }
    return known
  }

  /// Asks the bus who provides the service and who is the usual program, and the service for its
  /// collections, all at once; about the other programs only when it is not the usual one.
  ///
  /// That call to the service is the first one, and answered before any other: gnome-keyring (42 to 50
  /// at least) notes who is calling aside from replying, and aborts when what needs that note comes too
  /// early. Should another program have become the owner between these calls, the former one is found
  /// gone by the next.
  ///
  /// - Returns: nil when nobody provides it.
  private static func currentIntroduction(
    _ bus: OpaquePointer, _ loop: CallLoop, claiming claimed: String?
  ) throws(SecretServiceError) -> Introduction? {
    let names = ServiceQuirks.busNames
    let collections = BusMethod(
      name: name, path: "/org/freedesktop/secrets", interface: "org.freedesktop.DBus.Properties",
      method: "Get", reply: "(v)")
    var calls: [BusCall] = [
      ownerOf(name), ownerOf(names[0]),
      (collections, [.string("org.freedesktop.Secret.Service"), .string("Collections")]),
    ]
    if let claimed { calls.append(requestOf(claimed)) }
    let replies = try call(calls, bus, loop)
    guard let owner = try busName(in: replies[0]) else { return nil }
    let hasCollections = try hasCollections(replies[2])
    var owners = [try busName(in: replies[1])]
    if owners[0] != owner {
      for reply in try call(names.dropFirst().map(ownerOf), bus, loop) {
        owners.append(try busName(in: reply))
      }
    }
    return Introduction(
      owner: owner, quirks: ServiceQuirks(of: owner, among: owners), hasCollections: hasCollections,
      ownsName: claimed != nil && isOwned(replies[3]))
  }

  private static func ownerOf(_ name: String) -> BusCall {
    (.ofBus("GetNameOwner", reply: "(s)"), [.string(name)])
  }

  /// The unique name in a reply to `GetNameOwner`; nil when nobody owns the name.
  private static func busName(
    in reply: Outcome<Value>
  ) throws(SecretServiceError) -> String? {
    switch reply {
    case .success(.string(let name)): name
    case .failure(.timedOut): throw .timedOut
    default: nil
    }
  }

  private static func hasCollections(
    _ reply: Outcome<Value>
  ) throws(SecretServiceError) -> Bool {
    switch reply {
    case .success(.list(let count)): return count > 0
    case .success: return false
    case .failure(let error):
      switch error {
      case .serviceGone, .timedOut, .accessDenied: throw error
      default: return false
      }
    }
  }
}
