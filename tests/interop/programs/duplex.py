"""What the peers in Python share: their command line (see tests/interop/matrix/peers/own.rs), and copying both ways at once.

An engine has no socket: `receive(bytes)`, `to_send() -> bytes`, `handshake() -> bool`, `write(bytes)`, `read() -> bytes or None,
b"" at the peer's close_notify`, `close()`, `told() -> str`.
"""

import os
import select
import socket
import sys
import threading


def arguments():
    """The role, and what is asked."""
    return sys.argv[1], dict(word.split("=", 1) for word in sys.argv[2:])


def say(words):
    print(words, file=sys.stderr, flush=True)


def farewell(sock):
    """Closes so that what was sent arrives: a socket with unread input is reset."""
    try:
        sock.setblocking(True)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    except OSError:
        pass
    sock.close()


class Connection:
    """An engine on a socket."""

    def __init__(self, engine, sock):
        self.engine, self.sock = engine, sock
        self.pending = b""

    def exchange(self, readers=()):
        """Waits until something can be sent or received; gives those of `readers` that have something."""
        self.pending += self.engine.to_send()
        writers = [self.sock] if self.pending else []
        ready, writable, _ = select.select([self.sock, *readers], writers, [])
        if writable:
            self.pending = self.pending[self.sock.send(self.pending):]
        if self.sock in ready:
            received = self.sock.recv(65536)
            if not received:
                raise EOFError("the transport ended without close_notify")
            self.engine.receive(received)
        return [reader for reader in ready if reader is not self.sock]

    def flush(self):
        self.pending += self.engine.to_send()
        self.sock.sendall(self.pending)
        self.pending = b""

    def handshake(self):
        while not self.engine.handshake():
            self.exchange()
        self.flush()

    def first(self):
        """A line to an echo and back, and the end."""
        self.engine.write(b"first\n")
        self.flush()
        echoed = b""
        while len(echoed) < 6:
            read = self.engine.read()
            if read is None:
                self.exchange()
            else:
                echoed += read
        self.engine.close()
        self.flush()

    def copy(self):
        """Stdin to the peer and the peer to stdout, until the peer closes."""
        stdin = [0]
        while True:
            read = self.engine.read()
            if read == b"":
                return
            if read:
                sys.stdout.buffer.write(read)
                sys.stdout.buffer.flush()
                continue
            readers = stdin if len(self.pending) < 1 << 20 else []
            if self.exchange(readers):
                typed = os.read(0, 65536)
                if typed:
                    self.engine.write(typed)
                else:
                    stdin = []
                    self.engine.close()

    def echo(self):
        while True:
            read = self.engine.read()
            if read == b"":
                self.engine.close()
                self.flush()
                return
            if read:
                self.engine.write(read)
            else:
                self.exchange()


def client(asked, engine):
    """`engine(before)` makes an engine, which resumes what the engine `before` has got."""
    try:
        before = None
        if "resume" in asked:
            before = engine(None)
            connection = Connection(before, socket.create_connection(("127.0.0.1", int(asked["port"]))))
            connection.handshake()
            connection.first()
        connection = Connection(engine(before), socket.create_connection(("127.0.0.1", int(asked["port"]))))
        connection.handshake()
        say(f"connected {connection.engine.told()}")
        connection.copy()
    except Exception as error:
        say(f"failed {type(error).__name__} {error}")
        sys.exit(1)


def server(engine):
    """`engine()` makes an engine for a connection."""

    def serve(sock):
        try:
            connection = Connection(engine(), sock)
            try:
                connection.handshake()
                say(f"accepted {connection.engine.told()}")
                connection.echo()
            finally:
                # The alert, if there is one.
                connection.flush()
        except Exception as error:
            say(f"failed {type(error).__name__} {error}")
        finally:
            farewell(sock)

    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on {listener.getsockname()[1]}.", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
