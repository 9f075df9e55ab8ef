// Node as a peer: see tests/interop/matrix/peers/own.rs for the command line.
const tls = require('node:tls');
const fs = require('node:fs');

const [role, ...words] = process.argv.slice(2);
const asked = Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
const read = (name) => asked[name] && fs.readFileSync(asked[name]);
const NAMES = { secp256r1: 'P-256', secp384r1: 'P-384', x25519: 'X25519' };

const common = {
  minVersion: 'TLSv1.3',
  cert: read('cert'),
  key: read('key'),
  ciphers: asked.suite,
  ecdhCurve: asked.groups?.split(',').map((name) => NAMES[name] ?? name).join(':') ?? 'auto',
  ALPNProtocols: asked.alpn?.split(','),
};

function fail(error) {
  console.error(`failed ${error.code} ${error.message}`);
  process.exit(1);
}

function connect(session, ready) {
  const to = { host: '127.0.0.1', port: Number(asked.port), servername: 'localhost', ca: read('ca'), session };
  const socket = tls.connect({ ...common, ...to }, () => ready(socket));
  socket.on('error', fail);
  return socket;
}

function copy(socket) {
  console.error(`connected ${socket.getCipher().standardName} reused ${socket.isSessionReused()}`);
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
}

if (role === 'client' && asked.resume) {
  let session;
  const first = connect(undefined, (socket) => {
    socket.write('first\n');
    socket.once('data', () => socket.end());
  });
  first.on('session', (ticket) => { session = ticket; });
  first.on('close', () => connect(session, copy));
} else if (role === 'client') {
  connect(undefined, copy);
} else {
  const clients = { ca: read('client-ca'), requestCert: !!asked['client-ca'], rejectUnauthorized: !!asked['client-ca'] };
  const server = tls.createServer({ ...common, ...clients }, (socket) => {
    console.error(`accepted ${socket.getCipher().standardName} reused ${socket.isSessionReused()}`);
    socket.on('error', (error) => console.error(`failed ${error.code}`));
    socket.pipe(socket);
  });
  server.on('tlsClientError', (error) => console.error(`refused ${error.code}`));
  server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}.`));
}
