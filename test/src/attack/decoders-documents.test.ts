/** Rows 20, 42, 44 and 49 of the list of attacks: pages, drawings and HEIC that are made to harm whoever draws them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { after, afterEach, before, test } from 'node:test';
import { seededRandom } from '@rowlock/test-harness';
import sharp from 'sharp';
import { ImageError } from '../../../packages/server/dist/imaging/image-error.js';
import { variantPresets } from '../../../packages/server/dist/imaging/presets.js';
import { DecoderPool } from '../../../packages/server/dist/imaging/processes/decoder-pool.js';
import { asHeic, drawn, encoded, scene } from '../../../packages/server/dist/imaging/sample-images.js';
import { lockedPdf } from '../../../packages/server/dist/imaging/sources/sample-documents.js';
import { actingPdfs, greedyPdfs, greedySvgs, reachingSvgs } from './hostile-documents.ts';
import { type Attacked, attacked } from './standing.ts';
import { outcomeOf } from './thumbnail-outcome.ts';

let attack: Attacked;
const pool = new DecoderPool({ size: 2 });
let asked: Server;
let requests = 0;
let address = '';

before(async () => {
  asked = createServer((_request, response) => {
    requests += 1;
    response.end();
  });
  await new Promise<void>((resolve) => asked.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(asked.address() as AddressInfo).port}/a.png`;
  attack = await attacked();
  await attack.database.query("INSERT INTO storage.buckets (id, owner_id) VALUES ('photos', 'olivia')");
  await attack.remember();
});
afterEach(async () => {
  await attack.remember();
  await attack.assertUnharmed();
});
after(async () => {
  asked.close();
  await pool.stop();
  await attack.stop();
});

const types: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  svg: 'image/svg+xml',
  heic: 'image/heic',
};

/** Uploads files and asserts what becomes of each: thumbnails or a reason, at the first attempt. */
async function assertOutcomes(files: Readonly<Record<string, Buffer>>, expected: RegExp): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) {
    const outcome = await outcomeOf(attack, name, bytes, types[name.split('.').at(-1) ?? '']);
    assert.match(outcome.thumbnails, expected, name);
    assert.deepEqual([outcome.job, outcome.attempts], ['completed', 1], name);
  }
}

/** The pixels of an object's thumbnail, at places of its width in the middle of its height. */
async function coloursOf(name: string, places: readonly number[]): Promise<number[][]> {
  const [variant] = await attack.database.query<{ key: string }>(
    `SELECT v.key FROM storage.objects AS o JOIN storage.variants AS d ON d.source_version_id = o.version_id
     JOIN storage.versions AS v ON v.id = d.version_id WHERE o.name = $1 AND d.preset = 'small'`,
    [name],
  );
  const bytes = readFileSync(`${attack.service.root}/${variant?.key}`);
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  return places.map((place) => {
    const at = (Math.floor(info.height / 2) * info.width + Math.floor(place * info.width)) * info.channels;
    return [...data.subarray(at, at + 3)];
  });
}

/** What decoding a file in a process comes to, and within what time it may. */
async function rendered(bytes: Buffer): Promise<string> {
  const image = pool.render({ size: bytes.length, bytes, stream: Readable.from([]) }, variantPresets.slice(0, 1));
  return await image.then(
    () => 'made',
    (error: unknown) => (error instanceof ImageError ? `${error.reason}: ${error.message}` : String(error)),
  );
}

test('44 pages of a billion points, without end or around themselves show page one or say why', async () => {
  const allowed = /^made$|^corrupt: |^too_large: the page has a picture of too many pixels$/;

  for (const [name, bytes] of Object.entries(greedyPdfs())) assert.match(await rendered(bytes), allowed, name);
  for (const name of ['jbig2.pdf', 'jpx.pdf', 'raw.pdf']) {
    assert.match(await rendered(greedyPdfs()[name] ?? Buffer.alloc(0)), /^too_large/, name);
  }
});

test('20 entities, a million nodes and shapes within shapes end with a reason', async () => {
  const outcomes = new Map<string, string>();
  for (const [name, bytes] of Object.entries(greedySvgs())) outcomes.set(name, await rendered(bytes));

  assert.deepEqual(Object.fromEntries(outcomes), {
    'laughs.svg': 'unsafe: drawings that declare entities are not shown',
    'size.svg': 'too_large: the image has too many pixels',
    'nodes.svg': 'too_large: drawings of more than 200000 elements are not shown',
    'doubled.svg': 'too_large: drawings of more than 200000 elements are not shown',
    'self.svg': 'made',
    'depth.svg': 'corrupt: the image is damaged',
  });
});

test('44 what cannot be drawn says why, at the first attempt and for good', async () => {
  await assertOutcomes({ 'locked.pdf': lockedPdf() }, /^the document opens with a password only$/);
  await assertOutcomes(
    { 'laughs.svg': greedySvgs()['laughs.svg'] ?? Buffer.alloc(0) },
    /^drawings that declare entities/,
  );
});

test('44 what a document would do when it is opened is not done', async () => {
  for (const [name, bytes] of Object.entries(actingPdfs(address))) assert.equal(await rendered(bytes), 'made', name);

  assert.equal(requests, 0);
});

test('49 a drawing that names files and addresses is drawn without them', async () => {
  const { 'image.svg': image = Buffer.alloc(0), ...others } = reachingSvgs(address, 'file:///etc/passwd');

  for (const [name, bytes] of Object.entries(others)) assert.equal(await rendered(bytes), 'made', name);
  await assertOutcomes({ 'image.svg': image }, /^made$/);

  assert.equal(requests, 0);
  const [left, right] = await coloursOf('image.svg', [0.1, 0.9]);
  assert.ok((left?.[0] ?? 0) > 230 && (right?.[2] ?? 0) > 230, `${left} and ${right}`);
});

test('42 HEIC that is none, breaks off or was changed anywhere ends with a reason', async () => {
  const random = seededRandom();
  const heic = asHeic(await encoded.avif(drawn(scene(64, 64))).toBuffer());
  const reason = /^(corrupt|too_large|unsupported): /;

  await assertOutcomes({ 'none.heic': heic }, /^the image is damaged$/);
  assert.match(await rendered(heic.subarray(0, 200)), reason);
  for (let round = 0; round < Number(process.env['ROWLOCK_ROUNDS'] ?? 4); round += 1) {
    const bytes = Buffer.from(heic);
    for (let change = 0; change < 4; change += 1) bytes[28 + random.integer(bytes.length - 28)] = random.integer(256);
    assert.match(await rendered(bytes), reason, `seed ${random.seed}, round ${round}`);
  }
});
