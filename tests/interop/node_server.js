// An echo server: node node_server.js CERT KEY GROUPS
const tls = require('node:tls');
const fs = require('node:fs');
const [cert, key, ecdhCurve] = process.argv.slice(2);
const options = {
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ecdhCurve,
  minVersion: 'TLSv1.3',
  ALPNProtocols: ['http/1.1', 'echo'],
};
const server = tls.createServer(options, (socket) => {
  const name = `${socket.servername} ${socket.alpnProtocol} reused ${socket.isSessionReused()}`;
  console.error(`accepted ${socket.getCipher().standardName} ${name}`);
  socket.on('error', (error) => console.error(`failed ${error.code}`));
  socket.pipe(socket);
});
server.on('tlsClientError', (error) => console.error(`refused ${error.code}`));
server.listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}.`));
