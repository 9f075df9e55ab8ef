// Copies stdin to a server and back to stdout: node node_client.js PORT CA GROUP SUITE [SESSION]
// SESSION is a file: what it holds is resumed, and what the server gives to resume with is written to it.
const tls = require('node:tls');
const fs = require('node:fs');
const [port, ca, ecdhCurve, ciphers, session] = process.argv.slice(2);
const options = {
  host: '127.0.0.1',
  port: Number(port),
  servername: 'localhost',
  ca: fs.readFileSync(ca),
  ecdhCurve,
  ciphers,
  minVersion: 'TLSv1.3',
};
if (session && fs.existsSync(session)) {
  options.session = fs.readFileSync(session);
}
const socket = tls.connect(options, () => {
  console.error(`connected ${socket.getCipher().standardName} ${socket.authorized} reused ${socket.isSessionReused()}`);
  process.stdin.pipe(socket);
});
if (session) {
  socket.on('session', (ticket) => fs.writeFileSync(session, ticket));
}
socket.pipe(process.stdout);
socket.on('error', (error) => {
  console.error(`failed ${error.code}`);
  process.exitCode = 1;
});
