"""Python's ssl as a peer."""

import ssl
import sys

import duplex


class Engine:
    def __init__(self, context, **how):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **how)

    def receive(self, received):
        self.incoming.write(received)

    def to_send(self):
        return self.outgoing.read()

    def handshake(self):
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def write(self, data):
        self.tls.write(data)

    def read(self):
        try:
            return self.tls.read(65536)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""

    def close(self):
        try:
            self.tls.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLError):
            # The peer's close_notify has not come yet, or data has that is read later.
            pass

    def told(self):
        return f"{self.tls.cipher()[0]} resumed {self.tls.session_reused}"


def context(role, asked):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if role == "client" else ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    if "ca" in asked:
        tls.load_verify_locations(asked["ca"])
    if "cert" in asked:
        tls.load_cert_chain(asked["cert"], asked["key"])
    if "client-ca" in asked:
        tls.load_verify_locations(asked["client-ca"])
        tls.verify_mode = ssl.CERT_REQUIRED
    if "alpn" in asked:
        tls.set_alpn_protocols(asked["alpn"].split(","))
    if "groups" in asked:
        # This API has one group at most.
        tls.set_ecdh_curve(asked["groups"].replace("secp256r1", "prime256v1").replace("x25519", "X25519"))
    return tls


role, asked = duplex.arguments() if len(sys.argv) > 1 else ("version", {})
if role == "version":
    print(f"{sys.version.split()[0]} ({' '.join(ssl.OPENSSL_VERSION.split()[:2])})")
elif role == "client":
    tls = context(role, asked)

    def engine(before):
        return Engine(tls, server_hostname="localhost", session=before and before.tls.session)

    duplex.client(asked, engine)
else:
    tls = context(role, asked)
    duplex.server(lambda: Engine(tls, server_side=True))
