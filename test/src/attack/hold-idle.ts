/**
 * A process that holds idle connections to a server until its standard input ends. It sends nothing on them. It says
 * "held" when all are there.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const url = new URL(process.env['HOLD_URL'] ?? '');
const count = Number(process.env['HOLD_COUNT']);
const sockets: Socket[] = [];

for (let i = 0; i < count; i += 100) {
  const batch = Array.from({ length: Math.min(100, count - i) }, () => connect(Number(url.port), url.hostname));
  await Promise.all(batch.map((socket) => once(socket, 'connect')));
  for (const socket of batch) socket.on('error', () => socket.destroy());
  sockets.push(...batch);
}
process.stdout.write('held\n');
process.stdin.resume();
await once(process.stdin, 'end');
for (const socket of sockets) socket.destroy();
