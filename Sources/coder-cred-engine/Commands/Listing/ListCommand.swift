import ArgumentParser
import Credentials
import FoundationEssentials
import Sessions

/// `list`: what is stored, for whom, until when; never a secret.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List what is stored, for whom and until when.",
    discussion: "Never shows a secret, and never asks to unlock a keyring.")

  @Flag(help: "Print a JSON array.")
  var json = false

  func run() throws {
    let context = CommandContext()
    let entries = try context.store.entries(of: nil)
    let rows = entries.map { Row($0, now: context.clock.now) }.sorted {
      ($0.deployment, $0.account) < ($1.deployment, $1.account)
    }
    if json {
      try Terminal.showJSON(rows)
    } else {
      Terminal.show(Row.table(rows))
    }
  }
}

extension ListCommand {
  /// One session, as it is shown.
  struct Row: Encodable {
    let deployment: String
    let account: String
    let method: String?
    let state: String
    let expires_at: String?

    init(_ entry: SessionEntry, now: Int64) {
      deployment = entry.deployment
      account = entry.account
      switch entry.content {
      case .session(let session):
        method = session.method.rawValue
        state = session.state(now: now)
        expires_at = session.expiresAt.map(Self.moment)
      case .locked:
        (method, state, expires_at) = (nil, "locked", nil)
      case .lost:
        (method, state, expires_at) = (nil, "lost", nil)
      case .unreadable:
        (method, state, expires_at) = (nil, "unreadable", nil)
      }
    }

    /// Unix seconds as RFC 3339 has them.
    static func moment(_ seconds: Int64) -> String {
      Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    static func table(_ rows: [Row]) -> String {
      guard !rows.isEmpty else { return "" }
      let header = ["DEPLOYMENT", "ACCOUNT", "METHOD", "STATE", "EXPIRES"]
      let cells = rows.map { row in
        [row.deployment, row.account, row.method ?? "-", row.state, row.expires_at ?? "-"]
          .map { $0.isEmpty ? "-" : Terminal.clean($0) }
      }
      let widths = header.indices.map { column in
        ([header] + cells).map { $0[column].count }.max() ?? 0
      }
      return ([header] + cells).map { row in
        let padded = zip(row, widths).map { cell, width in
          cell + String(repeating: " ", count: width - cell.count)
        }
        let line = padded.joined(separator: "  ")
        return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
      }.joined()
    }
  }
}

extension StoredSession {
  /// What a get would do with it, in a word.
  fileprivate func state(now: Int64) -> String {
    if isAlive(now: now) { return "valid" }
    return method == .oauth && refreshToken != nil ? "due" : "ended"
  }
}
