import Foundation

/// A Secret Service that misbehaves on purpose, for the bus of a ``PrivateDesktop``.
///
/// It fails closed: a call that it does not expect is an error.
/// What it is asked, it prints to the desktop's journal.
package enum FakeSecretService {
  /// One way to misbehave; without any, it is a service that speaks only the algorithm `plain`.
  package enum Behaviour: String, Sendable, CaseIterable, Codable {
    // Sessions.
    /// Not even the algorithm `plain` is supported.
    case noPlainAlgorithm
    /// OpenSession returns an output of the wrong type.
    case oddSessionOutput
    /// OpenSession returns an empty array of bytes for `plain`, as KWallet does.
    case emptyBytesAsSessionOutput

    // Searching.
    /// The collection and its items are locked.
    case locked
    /// The collection is locked, and SearchItems finds nothing.
    case hidesLockedItems
    /// SearchItems finds two items.
    case twoItems
    /// The item that is found has other attributes than were asked for.
    case otherAttributes
    /// SearchItems is never replied to.
    case hangs
    /// The process ends when it is asked to search.
    case diesInSearch
    /// The process ends when an item that was found is read.
    case diesInItem
    /// SearchItems returns a string.
    case wrongType
    /// SearchItems fails with a long text full of control characters.
    case hostileErrorText
    /// There is no default collection.
    case noAlias
    /// There are no collections at all.
    case noCollections
    /// Items are of the schema that ours are.
    case ownSchema

    // Reading.
    /// The secret is not UTF-8.
    case secretNotUTF8
    /// The secret is larger than any of ours.
    case secretTooLarge
    /// The secret comes with the path of another D-Bus session.
    case secretOfOtherSession
    /// The same, in the first D-Bus session alone.
    case firstSessionBroken
    /// The first OpenSession refuses the key, as KWallet does with one of a hundred.
    case firstKeyRefused
    /// The secret comes with the parameters of an encryption.
    case secretEncrypted

    // Writing.
    /// It is KWallet, and the first item that is made is left empty, for want of the D-Bus session.
    case firstNewItemEmpty

    // Prompting.
    /// Writing and deleting ask for a prompt.
    case promptsBeforeWriting
    /// A prompt is never completed.
    case promptNeverCompletes
    /// A prompt is dismissed.
    case promptDismissed
    /// A prompt completes, and the collection is unlocked.
    case promptCompletes
    /// A prompt claims to have unlocked, and the collection stays locked.
    case promptLies
    /// A prompt completes with a result of the wrong type.
    case promptOfWrongType
    /// The process ends while it prompts.
    case promptDies
  }

  /// An item that the service holds.
  package struct Item: Sendable, Codable {
    let attributes: [String: String]
    let secret: String

    /// An item with these attributes.
    package init(attributes: [String: String], secret: String) {
      (self.attributes, self.secret) = (attributes, secret)
    }

    /// An item as ours are, with a secret that is none of our payloads.
    package static let standard = Item(
      attributes: ["application": "coder-cred", "kind": "session"], secret: "tok")
  }

  static func start(
    on desktop: PrivateDesktop, _ behaviours: Set<Behaviour>, _ items: [Item]
  ) throws -> ChildProcess {
    let script = "\(desktop.directory)/fake-secret-service.py"
    try Data(Self.script.utf8).write(to: URL(fileURLWithPath: script))
    let daemon = try desktop.start(
      "/usr/bin/python3", ["-u", script] + behaviours.map(\.rawValue),
      input: Array(JSONEncoder().encode(items)))
    try desktop.waitForName("org.freedesktop.secrets")
    return daemon
  }

  private static let script = """
    import json, os, sys, dbus, dbus.service
    from dbus.mainloop.glib import DBusGMainLoop
    from gi.repository import GLib

    behaviours = set(sys.argv[1:])
    items = json.load(sys.stdin)
    BASE = 'org.freedesktop.Secret.'
    ROOT = '/org/freedesktop/secrets'
    COLLECTION = ROOT + '/collection/main'
    PROMPT = ROOT + '/prompt/p1'
    DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    name = dbus.service.BusName('org.freedesktop.secrets', bus)
    state = {'locked': bool(behaviours & {'locked', 'hidesLockedItems'}), 'sessions': 0}
    # Who has received a first reply; gnome-keyring 42 aborts when a caller does not wait for one.
    introduced = set()
    if 'twoItems' in behaviours:
        items = items * 2

    def note(call, sender):
        print(call, 'after the first reply' if sender in introduced else 'early', flush=True)

    def fail(kind, text=''):
        raise dbus.exceptions.DBusException(text, name=kind)

    def path(text):
        return dbus.ObjectPath(text)

    def paths(*texts):
        return dbus.Array([path(t) for t in texts], signature='o')

    def item_path(number):
        return '%s/%d' % (COLLECTION, number + 1)

    def secret_of(item, session):
        secret = item['secret'].encode()
        if 'secretNotUTF8' in behaviours:
            secret += b'\\xff\\xfe'
        if 'secretTooLarge' in behaviours:
            secret += b' ' * 65536
        isFirst = state['sessions'] == 1
        if 'secretOfOtherSession' in behaviours or 'firstSessionBroken' in behaviours and isFirst:
            session = path(ROOT + '/session/s9')
        parameters = b'iv' if 'secretEncrypted' in behaviours else b''
        return dbus.Struct((session, dbus.ByteArray(parameters), dbus.ByteArray(secret),
                            'text/plain'), signature='oayays')

    class Slow(dbus.service.Object):
        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss',
                             out_signature='v', async_callbacks=('reply', 'error'),
                             sender_keyword='sender')
        def Get(self, interface, name, reply, error, sender):
            def later():
                introduced.add(sender)
                reply(self.values()[name])
            GLib.timeout_add(100, later)

        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='s',
                             out_signature='a{sv}', sender_keyword='sender')
        def GetAll(self, interface, sender):
            introduced.add(sender)
            return self.values()

    class Alias(Slow):
        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss',
                             out_signature='v', sender_keyword='sender')
        def Get(self, interface, name, sender):
            note('Get', sender)
            return self.values()[name]

        def values(self):
            return {'Locked': dbus.Boolean(state['locked'])}

    class Root(Slow):
        def values(self):
            some = [] if 'noCollections' in behaviours else [COLLECTION]
            return {'Collections': paths(*some)}

    class Service(Root):
        @dbus.service.method(BASE + 'Service', in_signature='s', out_signature='o')
        def ReadAlias(self, alias):
            return path('/' if 'noAlias' in behaviours else COLLECTION)

        @dbus.service.method(BASE + 'Service', in_signature='sv', out_signature='vo',
                             sender_keyword='sender')
        def OpenSession(self, algorithm, argument, sender):
            note('OpenSession', sender)
            if 'firstKeyRefused' in behaviours and 'refused' not in state:
                state['refused'] = True
                fail('org.freedesktop.DBus.Error.InvalidArgs', 'Client public key size is invalid')
            if algorithm != 'plain' or 'noPlainAlgorithm' in behaviours:
                fail('org.freedesktop.DBus.Error.NotSupported')
            state['sessions'] += 1
            output = dbus.UInt32(7) if 'oddSessionOutput' in behaviours else dbus.String('')
            if 'emptyBytesAsSessionOutput' in behaviours:
                output = dbus.ByteArray(b'')
            return output, path(ROOT + '/session/s1')

        @dbus.service.method(BASE + 'Service', in_signature='a{ss}', out_signature='aoao',
                             async_callbacks=('reply', 'error'), sender_keyword='sender')
        def SearchItems(self, attributes, reply, error, sender):
            note('SearchItems', sender)
            if 'hangs' in behaviours:
                return
            if 'diesInSearch' in behaviours:
                os._exit(1)
            if 'hostileErrorText' in behaviours:
                error(dbus.exceptions.DBusException(
                    'no\\x1b[31m\\n\\u202ecoder-cred: hint: run evil' + 'x' * 5000,
                    name='org.freedesktop.DBus.Error.Failed'))
            elif 'hidesLockedItems' in behaviours:
                reply(paths(), paths())
            else:
                found = paths(*(item_path(number) for number, item in enumerate(items) if item))
                reply(*((paths(), found) if state['locked'] else (found, paths())))

        @dbus.service.method(BASE + 'Service', in_signature='aoo', out_signature='a{o(oayays)}')
        def GetSecrets(self, wanted, session):
            return {item_path(number): secret_of(item, session)
                    for number, item in enumerate(items) if item and item_path(number) in wanted}

        @dbus.service.method(BASE + 'Service', in_signature='ao', out_signature='aoo')
        def Unlock(self, objects):
            return paths(), path(PROMPT)

    class WrongService(Service):
        @dbus.service.method(BASE + 'Service', in_signature='a{ss}', out_signature='s')
        def SearchItems(self, attributes):
            return 'nothing to see'

    class Readable(dbus.service.Object):
        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ss',
                             out_signature='v')
        def Get(self, interface, name):
            return self.all()[name]

        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='s',
                             out_signature='a{sv}')
        def GetAll(self, interface):
            return self.all()

    class Collection(Readable):
        def all(self):
            return {'Locked': dbus.Boolean(state['locked']), 'Label': 'main'}

        @dbus.service.method(BASE + 'Collection', in_signature='a{sv}(oayays)b',
                             out_signature='oo')
        def CreateItem(self, properties, secret, replace):
            if 'firstNewItemEmpty' not in behaviours:
                assert 'promptsBeforeWriting' in behaviours
                return path('/'), path(PROMPT)
            text = bytes(secret[2]).decode() if items else ''
            items.append({'attributes': properties[BASE + 'Item.Attributes'], 'secret': text})
            Item(len(items) - 1, items[-1])
            if not text:
                fail('org.freedesktop.DBus.Error.Failed', "Can't find session")
            return path(item_path(len(items) - 1)), path('/')

    class Item(Readable):
        def __init__(self, number, item):
            super().__init__(bus, item_path(number))
            self.number, self.item = number, item

        def all(self):
            if 'diesInItem' in behaviours:
                os._exit(1)
            attributes = dict(self.item['attributes'])
            if 'otherAttributes' in behaviours:
                attributes['kind'] = 'client'
            if 'ownSchema' in behaviours:
                attributes['xdg:schema'] = 'io.github.coder_cred'
            return {'Locked': dbus.Boolean(state['locked']), 'Label': 'item',
                    'Attributes': dbus.Dictionary(attributes, signature='ss'),
                    'Created': dbus.UInt64(2**64 - 1), 'Modified': dbus.UInt64(2**64 - 1)}

        @dbus.service.method(BASE + 'Item', in_signature='o', out_signature='(oayays)')
        def GetSecret(self, session):
            return secret_of(self.item, session)

        @dbus.service.method(BASE + 'Item', in_signature='(oayays)', out_signature='')
        def SetSecret(self, value):
            pass

        @dbus.service.method('org.freedesktop.DBus.Properties', in_signature='ssv',
                             out_signature='')
        def Set(self, interface, name, value):
            print('set', value, flush=True)

        @dbus.service.method(BASE + 'Item', in_signature='', out_signature='o')
        def Delete(self):
            if 'firstNewItemEmpty' in behaviours:
                items[self.number] = None
                return path('/')
            assert 'promptsBeforeWriting' in behaviours
            return path(PROMPT)

    class Wallet(dbus.service.Object):
        @dbus.service.method('org.kde.KWallet', in_signature='s', out_signature='b')
        def isOpen(self, wallet):
            return True

        @dbus.service.method('org.kde.KWallet', in_signature='sxs', out_signature='i')
        def open(self, wallet, window, application):
            return 1

        @dbus.service.method('org.kde.KWallet', in_signature='is', out_signature='')
        def sync(self, handle, application):
            pass

    class Prompt(dbus.service.Object):
        @dbus.service.method(BASE + 'Prompt', in_signature='s', out_signature='')
        def Prompt(self, window):
            print('prompted', flush=True)
            GLib.timeout_add(20, self.go_on)

        def go_on(self):
            if 'promptDismissed' in behaviours:
                self.Completed(True, dbus.String(''))
            if 'promptCompletes' in behaviours:
                result = paths(COLLECTION) if state['locked'] else path(item_path(0))
                state['locked'] = False
                self.Completed(False, result)
            if 'promptOfWrongType' in behaviours:
                self.Completed(False, dbus.UInt32(7))
            if 'promptLies' in behaviours:
                self.Completed(False, paths(COLLECTION))
            if 'promptDies' in behaviours:
                os._exit(1)

        @dbus.service.method(BASE + 'Prompt', in_signature='', out_signature='',
                             async_callbacks=('reply', 'error'))
        def Dismiss(self, reply, error):
            print('dismissed', flush=True)  # and never replies

        @dbus.service.signal(BASE + 'Prompt', signature='bv')
        def Completed(self, dismissed, result):
            pass

    objects = [(WrongService if 'wrongType' in behaviours else Service)(bus, ROOT),
               Collection(bus, COLLECTION), Prompt(bus, PROMPT)]
    if 'noAlias' not in behaviours:
        objects.append(Alias(bus, ROOT + '/aliases/default'))
    if 'firstNewItemEmpty' in behaviours:
        wallet = dbus.service.BusName('org.kde.kwalletd5', bus)
        objects.append(Wallet(bus, '/modules/kwalletd5'))
    objects += [Item(number, item) for number, item in enumerate(items)]
    GLib.MainLoop().run()
    """
}
