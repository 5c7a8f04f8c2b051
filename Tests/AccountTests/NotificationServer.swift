import Foundation
import TestDesk
import Testing

/// A server of notifications on a private bus: it keeps what it is asked to show, and can be one
/// that clicks.
///
/// Its moods are words; any mood it does not know, and any call it does not expect, ends in an error.
struct NotificationServer {
  /// One call of Notify.
  struct Shown: Decodable {
    let summary: String
    let body: String
    let actions: [String]
  }

  private let log: String

  init(_ session: PrivateDesktop, _ moods: String...) throws {
    log = "\(session.directory)/notifications"
    let script = "\(session.directory)/notifications.py"
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: script))
    _ = try session.start("/usr/bin/python3", [script, log] + moods)
    let waited = try session.run(
      "gdbus", ["wait", "--session", "--timeout", "20", "org.freedesktop.Notifications"])
    try #require(waited.status == 0, "\(session.journal)")
  }

  private var lines: [Substring] {
    ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n")
  }

  /// What has been shown so far.
  var shown: [Shown] {
    lines.compactMap { try? JSONDecoder().decode(Shown.self, from: Data($0.utf8)) }
  }

  /// How many notifications were taken back.
  var closed: Int { lines.count { $0 == "\"closed\"" } }

  private static let script = """
    import json, sys, dbus, dbus.service
    from dbus.mainloop.glib import DBusGMainLoop
    from gi.repository import GLib

    log, moods = sys.argv[1], set(sys.argv[2:])
    assert moods <= {'click', 'click-default', 'dismiss', 'no-actions', 'markup', 'other-key',
                     'noise'}, moods
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    NAME = 'org.freedesktop.Notifications'

    def note(value):
        with open(log, 'a') as file:
            file.write(json.dumps(value) + '\\n')

    class Server(dbus.service.Object):
        count = 6

        @dbus.service.method(NAME, in_signature='', out_signature='as')
        def GetCapabilities(self):
            words = ['body'] + ([] if 'no-actions' in moods else ['actions'])
            return dbus.Array(words + (['body-markup'] if 'markup' in moods else []), 's')

        @dbus.service.method(NAME, in_signature='susssasa{sv}i', out_signature='u')
        def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
            assert app == 'coder-cred' and replaces == 0 and hints['urgency'] == 1
            note({'summary': summary, 'body': body, 'actions': list(actions)})
            self.count += 1
            GLib.timeout_add(50, self.react, self.count)
            return dbus.UInt32(self.count)

        def react(self, number):
            if 'noise' in moods:
                self.ActionInvoked(dbus.UInt32(number + 1), 'sign-in')
                self.NotificationClosed(dbus.UInt32(number + 1), dbus.UInt32(2))
            if 'other-key' in moods:
                self.ActionInvoked(dbus.UInt32(number), 'settings')
            if 'dismiss' in moods:
                self.NotificationClosed(dbus.UInt32(number), dbus.UInt32(2))
            if moods & {'click', 'click-default'}:
                self.ActivationToken(dbus.UInt32(number), 'token-7')
                key = 'sign-in' if 'click' in moods else 'default'
                self.ActionInvoked(dbus.UInt32(number), key)
                self.NotificationClosed(dbus.UInt32(number), dbus.UInt32(2))

        @dbus.service.method(NAME, in_signature='u', out_signature='')
        def CloseNotification(self, number):
            note('closed')

        @dbus.service.signal(NAME, signature='us')
        def ActionInvoked(self, number, key):
            pass

        @dbus.service.signal(NAME, signature='us')
        def ActivationToken(self, number, token):
            pass

        @dbus.service.signal(NAME, signature='uu')
        def NotificationClosed(self, number, reason):
            pass

    server = Server(bus, '/org/freedesktop/Notifications')
    name = dbus.service.BusName(NAME, bus)
    GLib.MainLoop().run()
    """
}
