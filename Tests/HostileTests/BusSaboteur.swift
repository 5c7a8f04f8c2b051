import Foundation
import TestDesk
import Testing

/// Who is between a program and the session bus, and spoils one message of the bus or of a service.
///
/// The messages to the program are counted from 1 over all its connections; 0 is the reply to its
/// authentication.
final class BusSaboteur: Sendable {
  /// What becomes of the message.
  enum Sabotage: String, CaseIterable {
    /// The connection ends before it.
    case dies
    /// It ends in the middle of it.
    case cut
    /// Neither it nor any later one comes.
    case stalls
    /// It comes a second later.
    case late
    /// It comes twice.
    case twice
    /// An error comes in its place, with a text that steers terminals.
    case refused
    /// A reply comes in its place that holds nothing.
    case void
    /// A reply comes in its place that holds a text.
    case text
    /// Its body's bits are inverted.
    case inverted
    /// Its body is missing.
    case bodiless
    /// It replies to another call.
    case misaddressed
    /// It is a signal instead of a reply.
    case signal
    /// It claims a body of 128 MiB, which never comes.
    case huge
    /// Its header claims 4 GiB.
    case fields
    /// Twenty thousand signals come before it.
    case flood
    /// Signals come in its place until nobody reads them any more.
    case endless
    /// From it on, the account and the port of the deployment are others of the same length.
    case lies
  }

  /// A connection that never ends a program's waiting takes many seconds each.
  static let slow: Set<Sabotage> = [.stalls, .huge, .fields, .endless]

  /// The address that programs are given.
  let address: String
  private let directory: String

  /// Starts it between the desk's programs and the desk's bus.
  init(_ desk: Desk) throws {
    directory = desk.directory
    address = "unix:path=\(desk.directory)/sabotaged"
    let script = "\(desk.directory)/saboteur.py"
    try desk.write(Self.script, to: script)
    let port = desk.url.split(separator: ":").last ?? ""
    _ = try desk.desktop.start(
      "/usr/bin/python3",
      ["-u", script, "\(desk.directory)/sabotaged", "\(desk.directory)/bus", "alice", String(port)])
    waitFor("the saboteur") { access("\(desk.directory)/sabotaged.ready", F_OK) == 0 }
  }

  /// What happens to the message with this number, from the next connection on.
  func plan(_ sabotage: Sabotage, at message: Int) throws {
    let text = "\(UUID()) \(message) \(sabotage.rawValue)"
    try Data(text.utf8).write(
      to: URL(fileURLWithPath: "\(directory)/sabotage"), options: .atomic)
  }

  /// How many messages came since the last plan.
  var messages: Int {
    let text = try? String(contentsOfFile: "\(directory)/sabotage.count", encoding: .utf8)
    return text.flatMap { Int($0) } ?? 0
  }

  private static let script = """
    import os, socket, struct, sys, threading, time

    own, bus, account, port = sys.argv[1], sys.argv[2], sys.argv[3].encode(), sys.argv[4].encode()
    folder = os.path.dirname(own)
    lock = threading.Lock()
    state = {'plan': '', 'count': 0}

    def begin():
        with lock:
            plan = open(folder + '/sabotage').read()
            if plan != state['plan']:
                state.update(plan=plan, count=0)
            _, message, kind = plan.split()
            return int(message), kind

    def number():
        with lock:
            state['count'] += 1
            with open(folder + '/sabotage.count', 'w') as file:
                file.write(str(state['count']))
            return state['count']

    def message(kind, fields, signature, body):
        array = b''
        for code, type, value in fields + ([(8, 'g', signature)] if signature else []):
            array += b'\\0' * (-len(array) % 8) + bytes([code, 1]) + type.encode() + b'\\0'
            text = value if isinstance(value, bytes) else str(value).encode()
            if type == 'u':
                array += struct.pack('<I', value)
            elif type == 'g':
                array += bytes([len(text)]) + text + b'\\0'
            else:
                array += struct.pack('<I', len(text)) + text + b'\\0'
        head = b'l' + bytes([kind, 1, 1]) + struct.pack('<III', len(body), 4711, len(array))
        return head + array + b'\\0' * (-len(array) % 8) + body

    def string(text):
        return struct.pack('<I', len(text)) + text + b'\\0'

    SIGNAL = message(4, [(1, 'o', '/org/freedesktop/DBus'), (2, 's', 'org.freedesktop.DBus'),
                         (3, 's', 'NameOwnerChanged'), (7, 's', 'org.freedesktop.DBus')],
                     'sss', string(b'a.b\\0\\0\\0\\0') * 2 + string(b'a.b'))
    HOSTILE = b'no\\x1b[2J\\ncoder-cred: hint: run evil' + b'x' * 3000

    def reply_serial(data):
        place = data.find(b'\\x05\\x01u\\0')
        return struct.unpack_from('<I', data, place + 4)[0] if place >= 0 else 1

    def spoiled(kind, data):
        serial = [(5, 'u', reply_serial(data))]
        sender = [(7, 's', 'org.freedesktop.secrets')]
        length, _, fields = struct.unpack_from('<III', data, 4)
        body = len(data) - length
        if kind == 'twice': return data * 2
        if kind == 'refused':
            return message(3, serial + [(4, 's', 'org.freedesktop.DBus.Error.Failed')] + sender,
                           's', string(HOSTILE))
        if kind == 'void': return message(2, serial + sender, '', b'')
        if kind == 'text': return message(2, serial + sender, 's', string(b'nothing to see'))
        if kind == 'inverted': return data[:body] + bytes(byte ^ 255 for byte in data[body:])
        if kind == 'bodiless': return data[:4] + bytes(4) + data[8:body]
        if kind == 'misaddressed':
            place = data.find(b'\\x05\\x01u\\0')
            return data[:place + 4] + struct.pack('<I', 77777) + data[place + 8:] \\
                if place >= 0 else data
        if kind == 'signal': return data[:1] + b'\\4' + data[2:]
        if kind == 'huge': return data[:4] + struct.pack('<I', 1 << 27) + data[8:body] + b'x' * 64
        if kind == 'fields': return data[:12] + struct.pack('<I', 2**32 - 1) + data[16:]
        if kind == 'flood': return SIGNAL * 20000 + data
        return data

    def other(text):
        return bytes(byte + 1 if byte not in b'9z' else byte - 1 for byte in text)

    def end_both(service, program):
        for end in (service, program):
            try: end.shutdown(socket.SHUT_RDWR)
            except OSError: pass

    def to_program(service, program, plan):
        target, kind = plan
        pending, lies = b'', False
        try:
            while True:
                received = service.recv(65536)
                if not received: break
                pending += received
                while pending:
                    if pending[:1] != b'l':
                        line, end, rest = pending.partition(b'\\r\\n')
                        if not end: break
                        data, pending, count = line + end, rest, 0
                    else:
                        if len(pending) < 16: break
                        length, _, fields = struct.unpack_from('<III', pending, 4)
                        size = 16 + fields + -fields % 8 + length
                        if len(pending) < size: break
                        data, pending, count = pending[:size], pending[size:], number()
                    if count == target:
                        if kind == 'dies': return
                        if kind == 'stalls':
                            while service.recv(65536): pass
                            return
                        if kind == 'cut':
                            program.sendall(data[:len(data) // 2])
                            return
                        if kind == 'late': time.sleep(1)
                        if kind == 'endless':
                            for _ in range(200):
                                program.sendall(SIGNAL * 2000)
                            return
                        lies = lies or kind == 'lies'
                        data = spoiled(kind, data) if count else data[::-1]
                    if lies:
                        data = data.replace(account, other(account)).replace(port, other(port))
                    program.sendall(data)
        except OSError:
            pass
        finally:
            end_both(service, program)

    def to_service(program, service):
        try:
            while True:
                data = program.recv(65536)
                if not data: break
                service.sendall(data)
        except OSError:
            pass
        finally:
            end_both(service, program)

    def serve(program):
        service = socket.socket(socket.AF_UNIX)
        service.connect(bus)
        other_way = threading.Thread(target=to_service, args=(program, service), daemon=True)
        other_way.start()
        to_program(service, program, begin())
        other_way.join()
        service.close()
        program.close()

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(own)
    listener.listen(64)
    open(own + '.ready', 'w').close()
    while True:
        program, _ = listener.accept()
        threading.Thread(target=serve, args=(program,), daemon=True).start()
    """
}
