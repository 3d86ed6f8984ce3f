/**
 * Row 59 of the list of attacks by chance: any method on any route, with any token but the right one, finds no byte of
 * a private object, whatever its path, its keys, its headers and its body are. No answer is a 5xx but 501 and 503, and
 * nothing of the owner's has changed. `npm run campaign -- route-fuzz` goes on for minutes.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  assertInvariants,
  type SeededRandom,
  seededRandom,
  startService,
  type TestService,
} from '@rowlock/test-harness';
import { answerTo, type FuzzAnswer } from './fuzz-answer.ts';
import { bentToken } from './fuzz-bending.ts';
import { type FuzzRequest, FuzzRequests, type KnownRoute } from './fuzz-requests.ts';
import { arrangeFuzz, type FuzzSite, type Marker } from './fuzz-site.ts';

/** How long a campaign goes on; one round is the short form, with as many requests as stand below. */
const minutes = Number(process.env['ROWLOCK_ROUNDS'] ?? 1);
const requestsShort = 1500;
const atOnce = 8;
/** After as many requests the owner does something, and the server must say that it lives. */
const lifeEvery = 250;
/** Streams go on for ever; everything else has ended by itself long before. */
const patienceMs = { streams: 300, others: 20_000 };

let service: TestService;
let site: FuzzSite;
let random: SeededRandom;
const internalErrors: unknown[] = [];

before(async () => {
  random = seededRandom();
  console.log(`route fuzz, seed ${random.seed}`);
  service = await startService({
    observe: (observation: { readonly type: string; readonly error?: unknown }) => {
      if (observation.type === 'internal_error') internalErrors.push(observation.error);
    },
  });
  site = await arrangeFuzz(service, random);
});
after(() => service.stop());

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: {
    readonly content?: Readonly<Record<string, { readonly schema?: { readonly properties?: object } }>>;
  };
}

/** The routes as the service describes them. */
async function knownRoutes(): Promise<readonly KnownRoute[]> {
  const description = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  };
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      fields: Object.keys(requestBody?.content?.['application/json']?.schema?.properties ?? {}),
    })),
  );
}

interface Tally {
  requests: number;
  /** Answers to those who may see everything, with a marker in them: it can be found. */
  shown: number;
  /** The same for whoever has a valid signed URL. */
  granted: number;
  readonly statuses: Map<number | undefined, number>;
}

/** Judges one answer, and says of a bad one how to see it again. */
function judge(request: FuzzRequest, answer: FuzzAnswer, tally: Tally): void {
  const found = site.markers.filter((marker) => isIn(answer.bytes, marker));
  if (request.bearer.seesAll) tally.shown += found.length > 0 ? 1 : 0;
  if (request.grants !== undefined && found.length > 0) tally.granted += 1;
  tally.statuses.set(answer.status, (tally.statuses.get(answer.status) ?? 0) + 1);
  const leaked = request.bearer.seesAll ? [] : found.filter(({ group }) => group !== request.grants);
  const said = (what: string): string =>
    [
      `${what}, to ${request.bearer.what} (request ${tally.requests}, ROWLOCK_TEST_SEED=${random.seed})`,
      request.bytes.subarray(0, 3000).toString('latin1'),
      answer.bytes.subarray(0, 1500).toString('latin1'),
    ].join('\n---\n');
  assert.deepEqual(
    leaked.map(({ what }) => what),
    [],
    said('a private object came out'),
  );
  const isFailure = (answer.status ?? 0) >= 500 && ![501, 503].includes(answer.status ?? 0);
  assert.ok(!isFailure, said(`answered ${answer.status}`));
  const isStream = /changes/i.test(decodedOnce(request.target)) || answer.status === 101;
  assert.ok(answer.isWhole || isStream, said('no end'));
}

function isIn(bytes: Buffer, { forms }: Marker): boolean {
  return forms.some((form) => bytes.includes(form));
}

function decodedOnce(target: string): string {
  return target.replace(/%([0-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Sends requests until enough have been, several at a time. */
async function fuzz(requests: FuzzRequests, isOver: (tally: Tally) => boolean): Promise<Tally> {
  const tally: Tally = { requests: 0, shown: 0, granted: 0, statuses: new Map() };
  const sendOne = async (): Promise<void> => {
    tally.requests += 1;
    const isPause = tally.requests % lifeEvery === 0;
    const request = requests.next();
    const isStream = /changes/i.test(decodedOnce(request.target));
    const answer = await answerTo(service.url, request.bytes, isStream ? patienceMs.streams : patienceMs.others);
    judge(request, answer, tally);
    if (!isPause) return;
    await site.live();
    assert.equal((await service.fetch('/healthz')).status, 200, 'the server lives');
  };
  const worker = async (): Promise<void> => {
    while (!isOver(tally)) await sendOne();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return tally;
}

test('59 no method on any route, with any token but the right one, finds a byte of a private object', async () => {
  const routes = await knownRoutes();
  const before = await site.state();
  const requests = new FuzzRequests(site, routes, random);
  const deadline = Date.now() + minutes * 60_000;

  const tally = await fuzz(requests, (so) => (minutes > 1 ? Date.now() >= deadline : so.requests >= requestsShort));

  const { statuses, ...counts } = tally;
  console.log(JSON.stringify({ ...counts, statuses: Object.fromEntries([...statuses].sort()) }));
  assert.deepEqual(internalErrors, [], 'nothing failed inside the server');
  assert.deepEqual(await site.state(), before, "nothing of the owner's has changed");
  assert.ok(tally.shown > 0, 'markers are found where they may be');
  await assertInvariants(service);
});

test('59 a signed URL shows what was signed, and with any bit of it changed nothing', async () => {
  const signed = site.urlTokens.find(({ grants }) => grants === 'hidden');
  assert.ok(signed);
  const other = site.urlTokens.at(-1)?.token ?? '';
  const ask = (token: string): Promise<FuzzAnswer> => {
    const target = `/storage/v1/object/sign/vault/hidden.txt?token=${token}`;
    return answerTo(service.url, Buffer.from(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`), 10_000);
  };

  const valid = await ask(signed.token);
  const bent = await Promise.all(Array.from({ length: 100 }, () => ask(bentToken(signed.token, other, random))));

  assert.deepEqual(
    site.markers.filter((marker) => isIn(valid.bytes, marker)).map(({ group }) => group),
    ['hidden', 'hidden'],
  );
  assert.deepEqual([...new Set(bent.map(({ status }) => status))], [403]);
  assert.deepEqual(
    bent.filter(({ bytes }) => site.markers.some((marker) => isIn(bytes, marker))),
    [],
  );
});

test('a marker is found in every form that it might come out in', () => {
  const [marker] = site.markers;
  assert.ok(marker);
  const [text = Buffer.alloc(0)] = marker.forms;
  const around = ['', 'a', 'ab', 'abc'].map((lead) => Buffer.from(`${lead}${text.toString()}xyz`));

  const forms = around.flatMap((bytes) => [
    bytes,
    Buffer.from(bytes.toString('hex')),
    Buffer.from(bytes.toString('base64')),
  ]);

  for (const form of forms) assert.ok(isIn(form, marker), form.toString());
  assert.ok(!isIn(Buffer.from('something else'), marker));
});
