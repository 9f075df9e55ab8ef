// Copies stdin to a server and back to stdout: node node_client.js PORT CA GROUP SUITE
const tls = require('node:tls');
const fs = require('node:fs');
const [port, ca, ecdhCurve, ciphers] = process.argv.slice(2);
const options = {
  host: '127.0.0.1',
  port: Number(port),
  servername: 'localhost',
  ca: fs.readFileSync(ca),
  ecdhCurve,
  ciphers,
  minVersion: 'TLSv1.3',
};
const socket = tls.connect(options, () => {
  console.error(`connected ${socket.getCipher().standardName} ${socket.authorized}`);
  process.stdin.pipe(socket);
});
socket.pipe(process.stdout);
socket.on('error', (error) => {
  console.error(`failed ${error.code}`);
  process.exitCode = 1;
});
