/// Whether the person may be asked, by a window of the service, and for how long.
public struct PromptPolicy: Sendable {
  /// What a window of the service is about.
  public enum Subject: Sendable, Hashable {
    /// A collection, by its label, is to be unlocked.
    case unlocking(collection: String)
    /// An item, by its label, is to be released to this program.
    case releasing(item: String)
    /// An item, by its label, is to be written or deleted.
    case changing(item: String)
  }

  /// How long a person may take, in seconds; nil when nobody may be asked.
  let timeoutSeconds: Int?
  let onWait: @Sendable (Subject) -> Void

  /// No window is ever opened.
  public static let never = PromptPolicy(timeoutSeconds: nil) { _ in }

  /// Windows are opened and waited for.
  ///
  /// - Parameters:
  ///   - timeoutSeconds: how long a person may take, at most a day.
  ///   - onWait: called once a window has been waited for long enough to say so; prompts that ask
  ///     nothing end before.
  /// - Returns: the policy.
  public static func ask(
    timeoutSeconds: Int, onWait: @escaping @Sendable (Subject) -> Void = { _ in }
  ) -> PromptPolicy {
    PromptPolicy(timeoutSeconds: max(0, min(timeoutSeconds, 86_400)), onWait: onWait)
  }

  private init(timeoutSeconds: Int?, onWait: @escaping @Sendable (Subject) -> Void) {
    self.timeoutSeconds = timeoutSeconds
    self.onWait = onWait
  }
}
