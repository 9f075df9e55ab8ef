"""tlslite-ng as a peer: TLS in Python. It has no path validation: its client takes any certificate."""

import os
import select
import socket
import sys
import threading

from tlslite import HandshakeSettings, TLSConnection, X509CertChain, parsePEMKey
from tlslite.constants import AlertDescription, KeyUpdateMessageType

import duplex

SUITES = {
    "TLS_AES_128_GCM_SHA256": "aes128gcm",
    "TLS_AES_256_GCM_SHA384": "aes256gcm",
    "TLS_CHACHA20_POLY1305_SHA256": "chacha20-poly1305",
}
GROUPS = ["x25519mlkem768", "x25519", "secp256r1", "secp384r1"]
CHUNK = 1 << 14


def settings_for(role, asked):
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = (3, 4)
    settings.eccCurves = asked["groups"].lower().split(",") if "groups" in asked else GROUPS
    settings.keyShares = settings.eccCurves[:2]
    # Its default is the hybrid with P-256.
    settings.defaultCurve = "secp256r1"
    settings.dhGroups = []
    if "suite" in asked:
        settings.cipherNames = [SUITES[asked["suite"]]]
    if "psk" in asked:
        identity, key = asked["psk"].split(":")
        settings.pskConfigs = [(identity.encode(), bytes.fromhex(key), "sha256")]
    if role == "server":
        settings.ticketKeys = [os.urandom(32)]
    return settings


def credential(asked):
    if "cert" not in asked:
        return {}
    chain = X509CertChain()
    with open(asked["cert"]) as pem:
        chain.parsePemList(pem.read())
    with open(asked["key"]) as pem:
        return {"certChain": chain, "privateKey": parsePEMKey(pem.read(), private=True)}


class Peer:
    """A connection whose socket does not block."""

    def __init__(self, asked, tls):
        self.asked, self.tls, self.reading = asked, tls, None
        tls.sock.socket.setblocking(False)

    def read(self):
        """None while nothing is there, b"" at the peer's close_notify."""
        self.reading = self.reading or self.tls.readAsync(max=65536, min=1)
        read = next(self.reading)
        if read in (0, 1):
            return None
        self.reading = None
        return bytes(read)

    def wait(self, *readers):
        return select.select([self.tls.sock.socket, *readers], [], [])[0]

    def finish(self, steps):
        for step in steps:
            if step == 1:
                select.select([], [self.tls.sock.socket], [])
            elif step == 0:
                self.wait()

    def write(self, data):
        if "rekey" in self.asked:
            self.finish(self.tls.send_keyupdate_request(KeyUpdateMessageType.update_requested))
            duplex.say("rekeyed")
        for at in range(0, len(data), CHUNK):
            self.finish(self.tls.writeAsync(data[at:at + CHUNK]))

    def first(self):
        self.write(b"first\n")
        echoed = b""
        while len(echoed) < 6:
            read = self.read()
            if read is None:
                self.wait()
            else:
                echoed += read
        self.close()

    def close(self):
        self.tls.closeSocket = False
        self.finish(self.tls.closeAsync())

    def copy(self):
        stdin = [0]
        while True:
            read = self.read()
            if read == b"":
                return
            if read:
                sys.stdout.buffer.write(read)
                sys.stdout.buffer.flush()
            elif 0 in self.wait(*stdin):
                typed = os.read(0, CHUNK)
                if not typed:
                    self.close()
                    return
                self.write(typed)

    def echo(self):
        while True:
            read = self.read()
            if read == b"":
                self.close()
                return
            if read:
                self.write(read)
            else:
                self.wait()


def client(asked):
    def connect(session):
        tls = TLSConnection(socket.create_connection(("127.0.0.1", int(asked["port"]))))
        alpn = [name.encode() for name in asked["alpn"].split(",")] if "alpn" in asked else None
        how = {"settings": settings_for("client", asked), "serverName": "localhost", "alpn": alpn, "session": session}
        tls.handshakeClientCert(**how, **credential(asked))
        duplex.say(f"connected {tls.getCipherName()} resumed {tls.resumed}")
        return Peer(asked, tls)

    try:
        session = None
        if "resume" in asked:
            first = connect(None)
            first.first()
            session = first.tls.session
        connect(session).copy()
    except Exception as error:
        duplex.say(f"failed {type(error).__name__} {error}")
        sys.exit(1)


def server(asked):
    settings = settings_for("server", asked)
    alpn = [name.encode() for name in asked["alpn"].split(",")] if "alpn" in asked else None

    def serve(sock):
        try:
            tls = TLSConnection(sock)
            tls.closeSocket = False
            wanted = {"reqCert": "client-ca" in asked}
            tls.handshakeServer(settings=settings, alpn=alpn, **wanted, **credential(asked))
            duplex.say(f"accepted {tls.getCipherName()} resumed {tls.resumed}")
            if "client-ca" in asked and not tls.session.clientCertChain:
                # It only asks for one; wanting one is left to the application.
                for _ in tls._sendError(AlertDescription.certificate_required, "no certificate"):
                    pass
            Peer(asked, tls).echo()
        except Exception as error:
            duplex.say(f"failed {type(error).__name__} {error}")
        finally:
            duplex.farewell(sock)

    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on {listener.getsockname()[1]}.", flush=True)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


role, asked = duplex.arguments()
if role == "version":
    from importlib.metadata import version

    print(version("tlslite-ng"))
elif role == "client":
    client(asked)
else:
    server(asked)
