internal import CSecret

/// Opening what is locked, and asking for it where that is allowed.
extension SecretService {
  /// Whether the collection behind the alias `default` exists, and whether it is locked; changes
  /// nothing.
  ///
  /// - Throws: `serviceGone`, `accessDenied`, `timedOut`, `failed`.
  public func defaultCollectionState() throws(SecretServiceError) -> CollectionState {
    try operation { connection throws(SecretServiceError) in
      guard let collection = try connection.defaultCollection() else { return .absent }
      return collection.isLocked ? .locked : .unlocked
    }
  }

  /// Makes sure that the default collection can be read and written, with a prompt if it takes one
  /// and ``prompts`` allows it.
  ///
  /// - Throws: `noDefaultCollection`, `locked`, `dismissed` when the person declined or nothing
  ///   could ask them, `promptUnanswered`, `serviceGone`, `timedOut`.
  public func unlock() throws(SecretServiceError) {
    try operation { connection throws(SecretServiceError) in
      guard let collection = try openDefaultCollection(connection) else {
        throw .noDefaultCollection
      }
      guard !collection.isLocked else { throw .locked(collection: collection.label) }
    }
  }

  /// The default collection, opened if that asks nobody or somebody may be asked.
  ///
  /// A collection without a password starts locked in gnome-keyring and opens at the mere request,
  /// as does a wallet that KWallet has open already.
  ///
  /// - Returns: nil when there is none; one that is locked still when nobody may be asked.
  func openDefaultCollection(
    _ connection: ServiceConnection
  ) throws(SecretServiceError) -> Collection? {
    guard let collection = try connection.defaultCollection() else { return nil }
    guard collection.isLocked else { return collection }
    var permission = permission(to: .unlocking(collection: collection.label))
    let wallet = connection.quirks.wallet
    if let wallet, try wallet.isOpen(collection.label, on: connection) {
      permission = formality(.unlocking(collection: collection.label))
    }
    let hasPassword: Bool
    do throws(SecretServiceError) {
      hasPassword = try unlock(collection.path, permission, connection)
    } catch .confirmationRequired {
      return collection
    }
    let opened = try connection.defaultCollection()
    // Prompts are known to say yes and to leave things as they are.
    if let opened, opened.isLocked, permission != nil { throw .dismissed }
    if !hasPassword, wallet == nil, opened?.isLocked == false {
      hasCollectionWithoutPassword = true
    }
    return opened
  }

  /// Unlocks a collection or an item.
  ///
  /// - Returns: whether it took a prompt.
  /// - Throws: `confirmationRequired` when it takes a prompt that is not permitted.
  @discardableResult
  private func unlock(
    _ path: String, _ permission: Prompter.Permission?, _ connection: ServiceConnection
  ) throws(SecretServiceError) -> Bool {
    connection.prompter.permission = permission
    defer { connection.prompter.permission = nil }
    let service = try connection.service()
    _ = try loop.call({ cancellable, callback, data in
      path.withCString { text in
        var paths: [UnsafePointer<CChar>?] = [text, nil]
        secret_service_unlock_dbus_paths(service, &paths, cancellable, callback, data)
      }
    }) { secret_service_unlock_dbus_paths_finish(service, $0, nil, &$1) }
    return connection.prompter.wasNeeded
  }

  /// Does something with an item that may be locked, and once more when it could be unlocked.
  func unlocking<Value>(
    _ path: String, _ connection: ServiceConnection,
    _ body: () throws(SecretServiceError) -> Value
  ) throws(SecretServiceError) -> Value {
    do throws(SecretServiceError) {
      return try body()
    } catch .locked {
      let label = try connection.label(of: path)
      guard let permission = permission(to: .releasing(item: label)) else {
        throw try reasonForLock(path, connection)
      }
      try unlock(path, permission, connection)
    }
    do throws(SecretServiceError) {
      return try body()
    } catch .locked {
      throw .dismissed
    }
  }

  /// Whether the collection is locked or the item alone, for what helps against it.
  func reasonForLock(
    _ path: String, _ connection: ServiceConnection
  ) throws(SecretServiceError) -> SecretServiceError {
    let collection = try connection.collection(holding: path)
    guard !collection.isLocked else { return .locked(collection: collection.label) }
    return .confirmationRequired(
      item: try connection.label(of: path), service: connection.quirks.serviceName)
  }

  /// What ``prompts`` allows; nil when it allows nothing.
  func permission(to subject: PromptPolicy.Subject) -> Prompter.Permission? {
    prompts.timeoutSeconds.map {
      Prompter.Permission(timeoutSeconds: $0, subject: subject, onWait: prompts.onWait)
    }
  }

  /// What may be followed without asking anybody, because it asks nothing: bounded as any call.
  func formality(_ subject: PromptPolicy.Subject) -> Prompter.Permission {
    permission(to: subject)
      ?? Prompter.Permission(
        timeoutSeconds: loop.timeoutSeconds, subject: subject, onWait: { _ in })
  }
}
