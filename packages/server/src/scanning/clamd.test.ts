import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { ClamdScanner, parseScannerAddress, ScanError, type ScannerOptions } from './clamd.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
after(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** A server that does with each connection what it is told, and a scanner that asks it. */
async function scannerOf(
  serve: (socket: Socket) => void,
  options: Omit<ScannerOptions, 'address'> = {},
): Promise<ClamdScanner> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return new ClamdScanner({
    address: { host: '127.0.0.1', port: address.port },
    timeoutMs: 300,
    connectTimeoutMs: 1000,
    ...options,
  });
}

/** Reads what a client streams, and calls back with it at the chunk of no bytes. */
function untilEnd(socket: Socket, ended: (streamed: Buffer) => void): void {
  let came = Buffer.alloc(0);
  let isOver = false;
  socket.on('data', (chunk) => {
    came = Buffer.concat([came, chunk]);
    const streamed = isOver ? undefined : streamedIn(came);
    if (streamed !== undefined) {
      isOver = true;
      ended(streamed);
    }
  });
}

/** What was streamed, once it is whole. */
function streamedIn(came: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 'zINSTREAM\0'.length; at + 4 <= came.length; ) {
    const length = came.readUInt32BE(at);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(came.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}

const answering =
  (answer: string) =>
  (socket: Socket): void =>
    untilEnd(socket, () => socket.end(answer));

async function* bytes(...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield Buffer.alloc(size, 'x');
}

const never = new AbortController().signal;
const scan = (scanner: ClamdScanner, source: AsyncIterable<Uint8Array> = bytes(10)) =>
  scanner.scan(async () => source, never);
const failing = (failure: string, says: RegExp) => (error: unknown) =>
  error instanceof ScanError && error.failure === failure && says.test(error.message);

test('every byte is sent, in chunks behind their lengths, and the answer is the verdict', async () => {
  let streamed: Buffer = Buffer.alloc(0);
  const scanner = await scannerOf((socket) => {
    untilEnd(socket, (all) => {
      streamed = all;
      socket.end('stream: OK\0');
    });
  });

  const verdict = await scan(scanner, bytes(1, 3 * 2 ** 20 + 5, 0, 7));

  assert.deepEqual(verdict, { status: 'clean' });
  assert.equal(streamed.length, 3 * 2 ** 20 + 13);
});

test('a signature that was found is named, without what a terminal would take for its own', async () => {
  const scanner = await scannerOf(answering('stream: Eicar\u001b[31m-Test FOUND\0'));

  assert.deepEqual(await scan(scanner), { status: 'infected', signature: 'Eicar [31m-Test' });
});

test('bytes are clean only where the scanner says so in one whole answer', async () => {
  for (const [answer, failure, says] of [
    ['stream: OK', 'away', /without an answer/],
    ['', 'away', /without an answer/],
    ['OK\0', 'failed', /answered: OK/],
    ['stream: OK but not quite\0', 'failed', /not quite/],
    ['stream: OK\nstream: OK\0', 'failed', /answered/],
    ['INSTREAM size limit exceeded. ERROR\0', 'too_large', /StreamMaxLength/],
    ['stream: Can not allocate memory ERROR\0', 'failed', /allocate/],
    ['\u0001\u0002\u00ff\0', 'failed', /answered/],
    ['x'.repeat(5000), 'failed', /more than any answer/],
  ] as const) {
    const scanner = await scannerOf(answering(answer));

    await assert.rejects(scan(scanner), failing(failure, says), JSON.stringify(answer.slice(0, 40)));
  }
});

test('an answer before all bytes were sent is none of cleanness', async () => {
  const scanner = await scannerOf((socket) => {
    socket.once('data', () => socket.write('stream: OK\0'));
    socket.resume();
  });
  let isRead = false;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 50 && !isRead; i += 1) {
      yield Buffer.alloc(2 ** 18);
      await new Promise((resolve) => setImmediate(resolve));
    }
    isRead = true;
  };

  await assert.rejects(scan(scanner, source()), failing('failed', /stream: OK/));
});

test('a scanner that is silent, takes nothing or is not there is away, and nobody waits for it for long', async () => {
  const silent = await scannerOf((socket) => socket.resume());
  const full = await scannerOf((socket) => socket.pause());
  const closing = await scannerOf((socket) => socket.destroy());
  const absent = new ClamdScanner({ address: { socket: '/nowhere/clamd.socket' } });

  await assert.rejects(scan(silent), failing('away', /silent for 300 ms/));
  await assert.rejects(scan(full, bytes(...Array<number>(32).fill(2 ** 20))), failing('away', /silent for 300 ms/));
  await assert.rejects(
    scan(closing, bytes(...Array<number>(32).fill(2 ** 20))),
    failing('away', /closed|cannot be asked/),
  );
  await assert.rejects(scan(absent), failing('away', /ENOENT/));
});

test('nothing is opened for a scanner that is not there, and what was opened is read or closed though it went', async () => {
  const absent = new ClamdScanner({ address: { socket: '/nowhere/clamd.socket' } });
  const leaving = await scannerOf((socket) => setTimeout(() => socket.destroy(), 5));
  const opened: Readable[] = [];
  const open = async (): Promise<AsyncIterable<Uint8Array>> => {
    const stream = new Readable({ read: () => undefined });
    opened.push(stream);
    await new Promise((resolve) => setTimeout(resolve, 50)); // longer than the scanner stays
    stream.push(Buffer.alloc(10));
    return stream;
  };

  await assert.rejects(absent.scan(open, never), failing('away', /ENOENT/));
  assert.equal(opened.length, 0);
  await assert.rejects(leaving.scan(open, never), failing('away', /without an answer|cannot be asked/));
  assert.deepEqual(
    opened.map(({ destroyed }) => destroyed),
    [true],
  );
});

test('no more bytes are read than may be scanned, and what is left of the file is closed', async () => {
  let read = 0;
  let isClosed = false;
  const scanner = await scannerOf((socket) => socket.resume(), { bytesMax: 100 });
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        read += 40;
        yield Buffer.alloc(40);
      }
    } finally {
      isClosed = true;
    }
  };

  await assert.rejects(scan(scanner, endless()), failing('too_large', /more than 100 bytes/));
  assert.deepEqual([read, isClosed], [120, true]);
});

test('a file that breaks off fails as it broke, and whoever gives up ends the conversation', async () => {
  const scanner = await scannerOf((socket) => socket.resume());
  const gone = new AbortController();
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(3);
    throw new Error('the disk is gone');
  };

  await assert.rejects(scan(scanner, broken()), /the disk is gone/);
  const asked = scanner.scan(async () => bytes(1), gone.signal);
  gone.abort(new Error('the worker stops'));
  await assert.rejects(asked, /the worker stops/);
});

test('addresses are a path, or a host and a port', () => {
  assert.deepEqual(parseScannerAddress('/run/clamav/clamd.ctl'), { socket: '/run/clamav/clamd.ctl' });
  assert.deepEqual(parseScannerAddress('unix:/run/clamd'), { socket: '/run/clamd' });
  assert.deepEqual(parseScannerAddress('scanner:3310'), { host: 'scanner', port: 3310 });
  assert.deepEqual(parseScannerAddress('tcp://[::1]:3310'), { host: '::1', port: 3310 });
  for (const text of ['', 'scanner', 'scanner:0', 'scanner:70000', 'http://scanner:1', 'a b:1']) {
    assert.equal(parseScannerAddress(text), undefined, text);
  }
});
