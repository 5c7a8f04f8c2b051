import Foundation
import TestDesk
import Testing

/// A Secret Service that misbehaves on purpose, on the bus of a private session.
///
/// Its moods are words; any mood it does not know, and any call it does not expect, ends in an error.
struct FakeService {
  let session: PrivateSession
  let child: ChildProcess

  init(_ moods: String...) throws {
    session = try PrivateSession(.withoutDaemon)
    let script = "\(session.directory)/fake-service.py"
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: script))
    child = try session.start("/usr/bin/python3", [script] + moods)
    let waited = try session.run(
      "gdbus", ["wait", "--session", "--timeout", "20", "org.freedesktop.secrets"])
    try #require(waited.status == 0, "\(session.journal)")
  }

  private static let script = """
    import os, sys, dbus, dbus.service
    from dbus.mainloop.glib import DBusGMainLoop
    from gi.repository import GLib

    moods = set(sys.argv[1:])
    known = {'locked', 'hides-locked', 'other-attributes', 'two-items', 'hang', 'die',
             'wrong-type', 'rude-error', 'no-alias', 'prompt-never', 'prompt-dismissed',
             'prompt-completes', 'prompt-lies', 'prompt-dies', 'asks-before-writing',
             'prompt-wrong-type', 'schema', 'no-collections',
             'first-session-broken', 'not-utf8', 'oversize', 'wrong-session'}
    assert moods <= known, moods - known
    BASE = 'org.freedesktop.Secret.'
    ROOT = '/org/freedesktop/secrets'
    COLLECTION = ROOT + '/collection/main'
    PROMPT = ROOT + '/prompt/p1'
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    name = dbus.service.BusName('org.freedesktop.secrets', bus)
    state = {'locked': bool(moods & {'locked', 'hides-locked'}), 'sessions': 0}

    def fail(kind, text=''):
        raise dbus.exceptions.DBusException(text, name=kind)

    def path(text):
        return dbus.ObjectPath(text)

    def paths(*texts):
        return dbus.Array([path(t) for t in texts], signature='o')

    class Readable(dbus.service.Object):
        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss',
                             out_signature='v')
        def Get(self, interface, name):
            return self.all()[name]

        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='s',
                             out_signature='a{sv}')
        def GetAll(self, interface):
            return self.all()

    def secret(session):
        value = b'tok'
        if 'not-utf8' in moods:
            value = b'\\xff\\xfe'
        if 'oversize' in moods:
            value = b'x' * 65537
        if 'wrong-session' in moods or 'first-session-broken' in moods and state['sessions'] == 1:
            session = path(ROOT + '/session/s9')
        return dbus.Struct((session, dbus.ByteArray(b''), dbus.ByteArray(value), 'text/plain'),
                           signature='oayays')

    class Service(Readable):
        def all(self):
            some = [] if 'no-collections' in moods else [COLLECTION]
            return {'Collections': paths(*some)}

        @dbus.service.method(BASE + 'Service', in_signature='s', out_signature='o')
        def ReadAlias(self, alias):
            return path('/' if 'no-alias' in moods else COLLECTION)

        @dbus.service.method(BASE + 'Service', in_signature='sv', out_signature='vo')
        def OpenSession(self, algorithm, argument):
            if algorithm != 'plain':
                fail('org.freedesktop.DBus.Error.NotSupported')
            print('opened', flush=True)
            state['sessions'] += 1
            return dbus.String(''), path(ROOT + '/session/s1')

        @dbus.service.method(BASE + 'Service', in_signature='aoo', out_signature='a{o(oayays)}')
        def GetSecrets(self, items, session):
            return {item: secret(session) for item in items}

        @dbus.service.method(BASE + 'Service', in_signature='a{ss}', out_signature='aoao',
                             async_callbacks=('reply', 'error'))
        def SearchItems(self, attributes, reply, error):
            if 'hang' in moods:
                return
            if 'die' in moods:
                os._exit(1)
            if 'rude-error' in moods:
                error(dbus.exceptions.DBusException(
                    'no\\x1b[31m\\n\\u202ecoder-cred: hint: run evil' + 'x' * 5000,
                    name='org.freedesktop.DBus.Error.Failed'))
            elif 'hides-locked' in moods:
                reply(paths(), paths())
            else:
                found = paths(COLLECTION + '/1')
                if 'two-items' in moods:
                    found = paths(COLLECTION + '/1', COLLECTION + '/2')
                reply(*((paths(), found) if state['locked'] else (found, paths())))

        @dbus.service.method(BASE + 'Service', in_signature='ao', out_signature='aoo')
        def Unlock(self, objects):
            return paths(), path(PROMPT)

    class WrongService(Service):
        @dbus.service.method(BASE + 'Service', in_signature='a{ss}', out_signature='s')
        def SearchItems(self, attributes):
            return 'nothing to see'

    class Collection(Readable):
        def all(self):
            return {'Locked': dbus.Boolean(state['locked']), 'Label': 'main'}

        @dbus.service.method(BASE + 'Collection', in_signature='a{sv}(oayays)b',
                             out_signature='oo')
        def CreateItem(self, properties, secret, replace):
            assert 'asks-before-writing' in moods
            return path('/'), path(PROMPT)

    class Item(Readable):
        def all(self):
            attributes = {'application': 'coder-cred', 'kind': 'session'}
            if 'other-attributes' in moods:
                attributes['kind'] = 'client'
            if 'schema' in moods:
                attributes['xdg:schema'] = 'io.github.coder_cred'
            return {'Locked': dbus.Boolean(state['locked']), 'Label': 'item',
                    'Attributes': dbus.Dictionary(attributes, signature='ss'),
                    'Created': dbus.UInt64(2**64 - 1), 'Modified': dbus.UInt64(2**64 - 1)}

        @dbus.service.method(BASE + 'Item', in_signature='o', out_signature='(oayays)')
        def GetSecret(self, session):
            return secret(session)

        @dbus.service.method(BASE + 'Item', in_signature='(oayays)', out_signature='')
        def SetSecret(self, value):
            pass

        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ssv',
                             out_signature='')
        def Set(self, interface, name, value):
            print('set', value, flush=True)

        @dbus.service.method(BASE + 'Item', in_signature='', out_signature='o')
        def Delete(self):
            assert 'asks-before-writing' in moods
            return path(PROMPT)

    class Prompt(dbus.service.Object):
        @dbus.service.method(BASE + 'Prompt', in_signature='s', out_signature='')
        def Prompt(self, window):
            print('prompted', flush=True)
            GLib.timeout_add(20, self.go_on)

        def go_on(self):
            if 'prompt-dismissed' in moods:
                self.Completed(True, dbus.String(''))
            if 'prompt-completes' in moods:
                result = paths(COLLECTION) if state['locked'] else path(COLLECTION + '/1')
                state['locked'] = False
                self.Completed(False, result)
            if 'prompt-wrong-type' in moods:
                self.Completed(False, dbus.UInt32(7))
            if 'prompt-lies' in moods:
                self.Completed(False, paths(COLLECTION))
            if 'prompt-dies' in moods:
                os._exit(1)

        @dbus.service.method(BASE + 'Prompt', in_signature='', out_signature='',
                             async_callbacks=('reply', 'error'))
        def Dismiss(self, reply, error):
            print('dismissed', flush=True)  # and never an answer

        @dbus.service.signal(BASE + 'Prompt', signature='bv')
        def Completed(self, dismissed, result):
            pass

    objects = [(WrongService if 'wrong-type' in moods else Service)(bus, ROOT),
               Collection(bus, COLLECTION), Item(bus, COLLECTION + '/1'),
               Item(bus, COLLECTION + '/2'), Prompt(bus, PROMPT)]
    GLib.MainLoop().run()
    """
}
