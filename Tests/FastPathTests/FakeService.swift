import Foundation
import TestDesk
import Testing

/// A Secret Service that misbehaves on purpose, on the bus of a stage without a daemon.
///
/// It holds one fresh session of `https://fresh.example`. Its moods are words; a mood it does not
/// know ends it, and a call it does not expect is an error. What it hears, it says in the journal.
struct FakeService {
  let child: ChildProcess

  init(on stage: Stage, _ moods: String...) throws {
    let script = "\(stage.session.directory)/fake-service.py"
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: script))
    let expiry = Int(time(nil)) + 86_400
    let payload = """
      {"v":1,"url":"https://fresh.example","account":"alice","method":"token",\
      "access_token":"\(Stage.token)","expires_at":\(expiry)}
      """
    child = try stage.session.start("/usr/bin/python3", ["-u", script, payload] + moods)
    let waited = try stage.session.run(
      "gdbus", ["wait", "--session", "--timeout", "20", "org.freedesktop.secrets"])
    try #require(waited.status == 0, "\(stage.session.journal)")
  }

  private static let script = """
    import sys, dbus, dbus.service
    from dbus.mainloop.glib import DBusGMainLoop
    from gi.repository import GLib

    payload, moods = sys.argv[1], set(sys.argv[2:])
    known = {'no-plain', 'odd-session', 'two', 'locked', 'hang', 'other-attributes',
             'not-utf8', 'oversize', 'wrong-session', 'wrong-type', 'encrypted'}
    assert moods <= known, moods - known
    BASE = 'org.freedesktop.Secret.'
    ROOT = '/org/freedesktop/secrets'
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    name = dbus.service.BusName('org.freedesktop.secrets', bus)
    introduced = set()

    def paths(*texts):
        return dbus.Array([dbus.ObjectPath(t) for t in texts], signature='o')

    class Known(dbus.service.Object):
        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss',
                             out_signature='v', async_callbacks=('reply', 'error'),
                             sender_keyword='sender')
        def Get(self, interface, name, reply, error, sender):
            def answer():
                introduced.add(sender)
                reply(paths(ROOT + '/collection/main'))
                return False
            GLib.timeout_add(100, answer)

    class Service(Known):
        @dbus.service.method(BASE + 'Service', in_signature='sv', out_signature='vo',
                             sender_keyword='sender')
        def OpenSession(self, algorithm, argument, sender):
            print('OpenSession', 'late' if sender in introduced else 'early')
            if algorithm != 'plain' or 'no-plain' in moods:
                raise dbus.exceptions.DBusException(
                    'no', name='org.freedesktop.DBus.Error.NotSupported')
            output = dbus.UInt32(7) if 'odd-session' in moods else dbus.String('')
            return output, dbus.ObjectPath(ROOT + '/session/s1')

        @dbus.service.method(BASE + 'Service', in_signature='a{ss}', out_signature='aoao',
                             async_callbacks=('reply', 'error'), sender_keyword='sender')
        def SearchItems(self, attributes, reply, error, sender):
            print('SearchItems', 'late' if sender in introduced else 'early')
            one, two = ROOT + '/collection/main/1', ROOT + '/collection/main/2'
            if 'two' in moods:
                reply(paths(one, two), paths())
            elif 'locked' in moods:
                reply(paths(), paths(one))
            elif 'hang' not in moods:
                reply(paths(one), paths())

    class WrongService(Known):
        @dbus.service.method(BASE + 'Service', in_signature='a{ss}', out_signature='s')
        def SearchItems(self, attributes):
            return 'nothing to see'

    class Item(dbus.service.Object):
        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss',
                             out_signature='v')
        def Get(self, interface, name):
            deployment = 'https://fresh.example'
            if 'other-attributes' in moods:
                deployment = 'https://other.example'
            return dbus.Dictionary(
                {'application': 'coder-cred', 'kind': 'session', 'account': 'alice',
                 'deployment': deployment}, signature='ss')

        @dbus.service.method(BASE + 'Item', in_signature='o', out_signature='(oayays)')
        def GetSecret(self, session):
            secret = payload.encode()
            if 'not-utf8' in moods:
                secret += b'\\xff'
            if 'oversize' in moods:
                secret += b' ' * 65536
            if 'wrong-session' in moods:
                session = dbus.ObjectPath(ROOT + '/session/s9')
            parameters = b'iv' if 'encrypted' in moods else b''
            return dbus.Struct((session, dbus.ByteArray(parameters), dbus.ByteArray(secret),
                                'text/plain'), signature='oayays')

    objects = [(WrongService if 'wrong-type' in moods else Service)(bus, ROOT),
               Item(bus, ROOT + '/collection/main/1')]
    GLib.MainLoop().run()
    """
}

@Suite struct `The door and services of all kinds` {
  @Test func `Nothing is asked before the first answer, or gnome-keyring aborts`() throws {
    let stage = try Stage(.withoutService)
    let door = try stage.copyDoor(engine: "exit 99")
    let service = try FakeService(on: stage)
    defer { stage.session.end(service.child) }
    let answer = try stage.ask(door, .words("token", "https://fresh.example"))
    #expect(answer.stdout == "\(Stage.token)\n", "\(stage.session.journal)")
    #expect(stage.session.journal.contains("OpenSession late"))
    #expect(!stage.session.journal.contains("early"))
  }

  @Test(arguments: [
    "no-plain", "odd-session", "two", "locked", "hang", "other-attributes", "not-utf8", "oversize",
    "wrong-session", "wrong-type", "encrypted",
  ])
  func `Whatever a service does that is not plain is the engine's to judge`(mood: String) throws {
    let stage = try Stage(.withoutService)
    let door = try stage.copyDoor(engine: "exit 99")
    let service = try FakeService(on: stage, mood)
    defer { stage.session.end(service.child) }
    let start = ContinuousClock.now
    let answer = try stage.ask(door, .words("token", "https://fresh.example"))
    #expect(answer.status == 99 && answer.output.isEmpty && answer.errors.isEmpty)
    #expect(stage.session.journal.contains("OpenSession") || mood == "wrong-type")
    #expect(start.duration(to: .now) < .seconds(5))
  }
}
