import Foundation

/// A fake notification server on a private bus: it records what it is asked to show, and may react as
/// a user would.
///
/// It fails closed: a call that it does not expect is an error.
package struct NotificationServer {
  /// What the server can do, and what its user does.
  package enum Behaviour: String, Sendable {
    /// The user presses the button `sign-in`.
    case click
    /// The user clicks the notification itself.
    case clickDefault
    /// The user closes the notification.
    case dismiss
    /// The user presses a button that the notification does not have.
    case otherKey
    /// Signals for another notification come first.
    case signalsOfOthers
    /// The server has no actions.
    case noActions
    /// The server renders markup.
    case markup
  }

  /// One call of Notify.
  package struct Shown: Decodable {
    package let summary: String
    package let body: String
    package let actions: [String]
  }

  private let log: String

  /// Starts the server; it ends with the desktop.
  package init(_ desktop: PrivateDesktop, _ behaviours: Behaviour...) throws {
    log = "\(desktop.directory)/notifications"
    let script = "\(desktop.directory)/notifications.py"
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: script))
    _ = try desktop.start("/usr/bin/python3", [script, log] + behaviours.map(\.rawValue))
    try desktop.waitForName("org.freedesktop.Notifications")
  }

  private var lines: [Substring] {
    ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n")
  }

  /// What has been shown so far.
  package var shown: [Shown] {
    lines.compactMap { try? JSONDecoder().decode(Shown.self, from: Data($0.utf8)) }
  }

  /// How many notifications were closed by the program.
  package var closed: Int { lines.count { $0 == "\"closed\"" } }

  private static let script = """
    import json, sys, dbus, dbus.service
    from dbus.mainloop.glib import DBusGMainLoop
    from gi.repository import GLib

    log, behaviours = sys.argv[1], set(sys.argv[2:])
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
            words = ['body'] + ([] if 'noActions' in behaviours else ['actions'])
            return dbus.Array(words + (['body-markup'] if 'markup' in behaviours else []), 's')

        @dbus.service.method(NAME, in_signature='susssasa{sv}i', out_signature='u')
        def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
            assert app == 'coder-cred' and replaces == 0 and hints['urgency'] == 1
            note({'summary': summary, 'body': body, 'actions': list(actions)})
            self.count += 1
            GLib.timeout_add(50, self.react, self.count)
            return dbus.UInt32(self.count)

        def react(self, number):
            if 'signalsOfOthers' in behaviours:
                self.ActionInvoked(dbus.UInt32(number + 1), 'sign-in')
                self.NotificationClosed(dbus.UInt32(number + 1), dbus.UInt32(2))
            if 'otherKey' in behaviours:
                self.ActionInvoked(dbus.UInt32(number), 'settings')
            if 'dismiss' in behaviours:
                self.NotificationClosed(dbus.UInt32(number), dbus.UInt32(2))
            if behaviours & {'click', 'clickDefault'}:
                self.ActivationToken(dbus.UInt32(number), 'token-7')
                key = 'sign-in' if 'click' in behaviours else 'default'
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
