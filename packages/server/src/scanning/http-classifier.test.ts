import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import {
  type ClassifierOptions,
  ClassifyError,
  type FileToClassify,
  HttpClassifier,
  isEndpoint,
} from './http-classifier.ts';

const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/classify`;
}

const file: FileToClassify = {
  version_id: '01900000-0000-7000-8000-000000000000',
  bucket: 'photos',
  name: 'a.jpg',
  size: 4,
  content_type: 'image/jpeg',
  detected_type: null,
  open: async () => Readable.from([Buffer.from('data')]),
  url: async (seconds) => `https://files.test/a.jpg?seconds=${seconds}`,
};

async function classify(listener: RequestListener, options: Partial<ClassifierOptions> = {}): Promise<unknown> {
  const classifier = new HttpClassifier({ url: await serving(listener), timeoutMs: 500, ...options });
  return await classifier.classify(file, new AbortController().signal);
}

const failing = (failure: string, says: RegExp) => (error: unknown) =>
  error instanceof ClassifyError && error.failure === failure && says.test(error.message);

test('a URL of the file is sent with what is known of it, or the file itself', async () => {
  const got: unknown[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization, 'content-type': type, 'x-rowlock-version': version } = request.headers;
      got.push([request.method, authorization, type, version, String(Buffer.concat(chunks))]);
      response.end('{"severity": "high"}');
    });
  };

  const answers = [await classify(listener, { secret: 's3cret' }), await classify(listener, { sends: 'bytes' })];

  const { open: _, url: __, ...described } = file;
  const body = JSON.stringify({ ...described, url: 'https://files.test/a.jpg?seconds=3600' });
  assert.deepEqual(answers, [{ severity: 'high' }, { severity: 'high' }]);
  assert.deepEqual(got, [
    ['POST', 'Bearer s3cret', 'application/json', file.version_id, body],
    ['POST', undefined, 'image/jpeg', file.version_id, 'data'],
  ]);
});

test('nobody else is asked, whatever the classifier answers', async () => {
  let isAsked = false;
  const private_ = await serving((_, response) => {
    isAsked = true;
    response.end('{}');
  });

  for (const status of [301, 302, 307, 308]) {
    const asked = classify((_, response) => response.writeHead(status, { location: private_ }).end());
    await assert.rejects(asked, failing('refused', new RegExp(String(status))));
  }
  assert.equal(isAsked, false);
});

test('an answer is bounded in bytes and time, and is a JSON object', async () => {
  for (const [listener, failure, says] of [
    [(_, response) => response.end(`{"a": "${'x'.repeat(40_000)}"}`), 'refused', /more than 32768 bytes/],
    [(_, response) => response.end('[1]'), 'refused', /no object/],
    [(_, response) => response.end('<html>'), 'refused', /no JSON/],
    [(_, response) => response.writeHead(404).end('{}'), 'refused', /404/],
    [(_, response) => response.writeHead(503).end('{}'), 'away', /503/],
    [() => undefined, 'away', /cannot be reached/],
    [(_, response) => response.write('{"a":'), 'away', /did not come to its end/],
    [(request) => request.destroy(), 'away', /cannot be reached/],
  ] as const satisfies readonly (readonly [RequestListener, string, RegExp])[]) {
    await assert.rejects(classify(listener), failing(failure, says), String(says));
  }
});

test('an endpoint is an http URL without a password, and a file that is too large stays', async () => {
  for (const text of ['ftp://host/', 'file:///etc/passwd', 'http://user:pass@host/', 'host:80', '']) {
    assert.equal(isEndpoint(text), false, text);
    assert.throws(() => new HttpClassifier({ url: text }), TypeError);
  }
  assert.ok(isEndpoint('https://classifier.internal:8443/v1'));
  const asked = classify((_, response) => response.end('{}'), { sends: 'bytes', bytesMax: 3 });
  await assert.rejects(asked, failing('refused', /over 3 bytes/));
});
