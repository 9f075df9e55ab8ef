"""pyOpenSSL as a peer, over the OpenSSL that the package `cryptography` has inside."""

from OpenSSL import SSL
from cryptography.hazmat.bindings.openssl.binding import Binding

import duplex

NAMES = {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384"}


class Engine:
    def __init__(self, context):
        self.tls = SSL.Connection(context, None)

    def receive(self, received):
        self.tls.bio_write(received)

    def to_send(self):
        sent = b""
        while True:
            try:
                sent += self.tls.bio_read(65536)
            except SSL.WantReadError:
                return sent

    def handshake(self):
        try:
            self.tls.do_handshake()
            return True
        except SSL.WantReadError:
            return False

    def write(self, data):
        self.tls.sendall(data)

    def read(self):
        try:
            return self.tls.recv(65536)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            return b""

    def close(self):
        self.tls.shutdown()

    def told(self):
        return f"{self.tls.get_cipher_name()}, {self.tls.get_group_name()}"


def context(role, asked):
    tls = SSL.Context(SSL.TLS_METHOD)
    tls.set_min_proto_version(SSL.TLS1_3_VERSION)
    tls.set_session_id(b"peer")
    required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
    if "ca" in asked:
        tls.load_verify_locations(asked["ca"])
        tls.set_verify(required)
    if "client-ca" in asked:
        tls.load_verify_locations(asked["client-ca"])
        tls.set_verify(required)
    if "cert" in asked:
        tls.use_certificate_chain_file(asked["cert"])
        tls.use_privatekey_file(asked["key"])
    if "suite" in asked:
        tls.set_tls13_ciphersuites(asked["suite"].encode())
    if "groups" in asked:
        # pyOpenSSL has no method for it.
        names = ":".join(NAMES.get(name, name) for name in asked["groups"].split(","))
        assert Binding.lib.SSL_CTX_set1_curves_list(tls._context, names.encode()) == 1
    if "alpn" in asked:
        wanted = [name.encode() for name in asked["alpn"].split(",")]
        if role == "client":
            tls.set_alpn_protos(wanted)
        else:
            both = lambda _, offered: next(name for name in wanted if name in offered)
            tls.set_alpn_select_callback(both)
    return tls


role, asked = duplex.arguments()
if role == "version":
    import OpenSSL

    inside = SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode()
    print(f"{OpenSSL.__version__} ({' '.join(inside.split()[:2])})")
elif role == "client":
    tls = context(role, asked)

    def engine(before):
        made = Engine(tls)
        made.tls.set_connect_state()
        made.tls.set_tlsext_host_name(b"localhost")
        verification = Binding.lib.SSL_get0_param(made.tls._ssl)
        assert Binding.lib.X509_VERIFY_PARAM_set1_host(verification, b"localhost", 9) == 1
        if before:
            made.tls.set_session(before.tls.get_session())
        return made

    duplex.client(asked, engine)
else:
    tls = context(role, asked)

    def engine():
        made = Engine(tls)
        made.tls.set_accept_state()
        return made

    duplex.server(engine)
