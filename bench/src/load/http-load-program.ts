/**
 * The process that makes HTTP load: takes orders from its parent, one at a time, and answers with what it measured. It
 * is a process of its own, so that what it costs is the same for everyone who is measured, and is known.
 */
import { latenciesOf } from '../measure/statistics.ts';
import type { HttpOrder, HttpSample } from './http-order.ts';
import { HttpSocket } from './http-socket.ts';

/** Requests that are begun so far, and whether another one may be. */
class Loop {
  readonly #order: HttpOrder;
  readonly #deadline: number;
  begun = 0;

  constructor(order: HttpOrder) {
    this.#order = order;
    this.#deadline = performance.now() + (order.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  }

  /** The number of the next request, or undefined at the end. */
  next(): number | undefined {
    if (this.begun >= (this.#order.count ?? Number.POSITIVE_INFINITY)) return undefined;
    if (performance.now() >= this.#deadline) return undefined;
    this.begun += 1;
    return this.begun - 1;
  }
}

async function perform(order: HttpOrder): Promise<HttpSample> {
  const body = bodyOf(order);
  const [before = '', after = ''] = order.path.split('{n}');
  const counts = order.path.includes('{n}');
  const bodyBytes = order.body_bytes ?? body?.byteLength ?? 0;
  const length = body === undefined ? '' : `content-length: ${bodyBytes}\r\n`;
  const fields = Object.entries(order.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const tail = ` HTTP/1.1\r\nhost: 127.0.0.1\r\n${fields.join('')}${length}\r\n`;
  const durations: number[] = [];
  let bytes = 0;
  const sockets = Array.from({ length: order.connections }, () => new HttpSocket(order.port));
  const loop = new Loop(order);
  const cpu = process.cpuUsage();
  const begin = performance.now();
  const send = async (socket: HttpSocket): Promise<void> => {
    for (let n = loop.next(); n !== undefined; n = loop.next()) {
      const name = counts ? `${before}${order.names === undefined ? n : n % order.names}${after}` : before;
      const at = performance.now();
      const answer = await socket.send(`${order.method} ${name}${tail}`, body, bodyBytes);
      durations.push(performance.now() - at);
      check(order, name, answer);
      bytes += answer.bytes + bodyBytes;
    }
  };
  try {
    await Promise.all(sockets.map(send));
  } finally {
    for (const socket of sockets) socket.close();
  }
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  return {
    count: durations.length,
    seconds,
    per_second: durations.length / seconds,
    mib_per_second: bytes / seconds / 2 ** 20,
    ...latenciesOf(durations),
    load_cpu_seconds: (used.user + used.system) / 1e6,
  };
}

let lastBody: Uint8Array = Buffer.alloc(0);

/** What is longer is sent in several of these. */
const pieceBytesMax = 64 * 2 ** 20;

/** Always the same bytes of a length: making them is not part of what is measured. */
function bodyOf(order: HttpOrder): Uint8Array | undefined {
  if (order.body_text !== undefined) return Buffer.from(order.body_text);
  if (order.body_bytes === undefined) return undefined;
  const bytes = Math.min(order.body_bytes, pieceBytesMax);
  if (lastBody.byteLength !== bytes) lastBody = Buffer.alloc(bytes, 7);
  return lastBody;
}

function check(order: HttpOrder, name: string, answer: { readonly status: number; readonly bytes: number }): void {
  if (!order.statuses.includes(answer.status)) {
    throw new Error(`${order.method} ${name} answered ${answer.status}`);
  }
  if (order.answer_bytes !== undefined && answer.bytes !== order.answer_bytes) {
    throw new Error(`${order.method} ${name} answered ${answer.bytes} bytes instead of ${order.answer_bytes}`);
  }
}

process.on('message', (order: HttpOrder) => {
  perform(order).then(
    (sample) => process.send?.({ sample }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
