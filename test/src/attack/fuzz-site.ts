/**
 * What a fuzz attacks: private objects of one person, with marker bytes in names, bytes, metadata and whatever is made
 * of them, and tokens of all kinds that somebody else might have. It sends no hostile request. Invariant: no marker is
 * part of anything that a hostile request says in clear, so that each one in an answer has come out of the service.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { jwtSecret, type SeededRandom, signToken, type TestService, until } from '@rowlock/test-harness';
import sharp from 'sharp';
import { handMadeToken, unsignedToken } from './hand-made-token.ts';

/** What a secret belongs to; a valid signed URL of `hidden` may show the group `hidden`. */
export type Group = 'hidden' | 'others';

export interface Marker {
  readonly what: string;
  readonly group: Group;
  /** Every form in which it might come out. */
  readonly forms: readonly Buffer[];
}

/** A bearer token, and whether whoever has it may see all markers. */
export interface Bearer {
  readonly what: string;
  readonly token: string | undefined;
  readonly seesAll: boolean;
}

export interface FuzzSite {
  readonly service: TestService;
  readonly markers: readonly Marker[];
  /** Kinds of them, each as often as another: hostile ones, another user, nobody, and those who see everything. */
  readonly bearers: readonly (readonly Bearer[])[];
  /** Tokens of signed URLs; `grants` is what a valid one shows. */
  readonly urlTokens: readonly { readonly token: string; readonly grants?: Group }[];
  /** Names, keys and ids that an attacker may have heard of. */
  readonly hearsay: { readonly keys: readonly string[]; readonly ids: readonly string[] };
  readonly functions: readonly { readonly name: string; readonly args: readonly string[] }[];
  /** Something that the owner does every now and then, so that feeds and jobs have secrets in them. */
  live(): Promise<void>;
  /** Everything of the owner's that nobody else may have changed. */
  state(): Promise<unknown>;
}

const json = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** Makes the site on a service with workers. */
export async function arrangeFuzz(service: TestService, random: SeededRandom): Promise<FuzzSite> {
  const secret = (): string => random.bytes(10).toString('hex');
  const owner = `olivia-${secret()}`;
  const secrets = {
    'the owner': owner,
    'bytes of the hidden text': secret(),
    'metadata of the hidden text': secret(),
    'an older version': secret(),
    'a secret name': secret(),
    'bytes under a secret name': secret(),
    'the name of what was deleted': secret(),
    'a secret bucket': secret(),
    'bytes of the picture': secret(),
    'the name of what is written now': secret(),
    'bytes of what is written now': secret(),
  } as const;
  const send = sender(service, owner);
  await arrangeObjects(send, secrets);
  const variants = await thumbnailsOf(service, owner);
  const content = contentOf(secrets['bytes of the hidden text']);
  const markers = [
    ...Object.entries(secrets).map(([what, text]) => markerOf(what, Buffer.from(text))),
    markerOf('the hash of the hidden text', Buffer.from(createHash('sha256').update(content).digest('hex'))),
    ...variants.map((bytes, i) => markerOf(`thumbnail ${i}`, bytes.subarray(-40, -12))),
  ];
  const { database } = service;
  const heard = await database.query<{ id: string; key: string }>('SELECT id, key FROM storage.versions');
  const objects = await database.query<{ id: string }>('SELECT id FROM storage.objects');
  const functions = await database.query<{ name: string; args: string[] | null }>(
    "SELECT proname AS name, proargnames AS args FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
  );
  return {
    service,
    markers,
    bearers: await bearersOf(owner),
    urlTokens: await urlTokensOf(service, send),
    hearsay: { keys: heard.map(({ key }) => key), ids: [...heard, ...objects].map(({ id }) => id) },
    functions: functions.map(({ name, args }) => ({ name, args: args ?? [] })),
    live: () => liveABit(send, secrets['the name of what is written now'], secrets['bytes of what is written now']),
    state: () => stateOf(service, owner),
  };
}

const contentOf = (marker: string): string => `${'-'.repeat(100)}${marker}${'-'.repeat(100)}`;

/** The group follows from the words: what a signed URL of the hidden text shows are its bytes and their hash. */
function markerOf(what: string, bytes: Buffer): Marker {
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return Buffer.from(text.slice(4, 4 * Math.floor((bytes.length + shift) / 3)).replace(/=+$/, ''));
  });
  const group = ['bytes of the hidden text', 'the hash of the hidden text'].includes(what) ? 'hidden' : 'others';
  return { what, group, forms: [bytes, Buffer.from(bytes.toString('hex')), ...base64] };
}

type Send = (method: string, path: string, init?: RequestInit & { readonly as?: string }) => Promise<Response>;

function sender(service: TestService, owner: string): Send {
  return async (method, path, init = {}) => {
    const answer = await service.fetch(`/storage/v1${path}`, { as: owner, ...init, method });
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status}`);
    return answer;
  };
}

async function arrangeObjects(send: Send, secrets: Readonly<Record<string, string>>): Promise<void> {
  const text = (what: string): string => contentOf(secrets[what] ?? '');
  const put = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    send('PUT', `/object/${path}`, { body, headers: { 'content-type': 'text/plain', ...headers } });
  const [secretBucket = '', secretName = '', deleted = ''] = [
    'a secret bucket',
    'a secret name',
    'the name of what was deleted',
  ].map((what) => secrets[what]);
  await send('POST', '/bucket', json({ name: 'vault', versioning: 'on' }));
  await send('POST', '/bucket', json({ name: `b-${secretBucket}` }));
  await send('POST', '/bucket', json({ name: 'diary' }));
  await send('POST', '/bucket', { ...json({ name: 'plaza', policy: 'public' }), as: 'paula' });
  await send('POST', '/bucket', { ...json({ name: 'mine' }), as: 'mallory' });
  await put('vault/hidden.txt', text('an older version'));
  const metadata = Buffer.from(JSON.stringify({ note: secrets['metadata of the hidden text'] })).toString('base64');
  await put('vault/hidden.txt', text('bytes of the hidden text'), { 'x-metadata': metadata });
  await put(`vault/${secretName}/x.txt`, text('bytes under a secret name'));
  await put(`vault/${deleted}`, text('bytes under a secret name'));
  await send('DELETE', `/object/vault/${deleted}`);
  await put(`b-${secretBucket}/hidden.txt`, text('bytes under a secret name'));
  const picture = sharp({ create: { width: 300, height: 200, channels: 3, background: 'teal' } });
  const bytes = Buffer.concat([await picture.png().toBuffer(), Buffer.from(secrets['bytes of the picture'] ?? '')]);
  await put('files/hidden.png', bytes, { 'content-type': 'image/png' });
  await send('PUT', '/object/plaza/shown.txt', { body: 'everybody may read this', as: 'paula' });
  await send('PUT', '/object/mine/a.txt', { body: 'this is mine', as: 'mallory' });
}

async function thumbnailsOf(service: TestService, owner: string): Promise<readonly Buffer[]> {
  const found: Buffer[] = [];
  for (const preset of ['small', 'medium', 'large']) {
    const path = `/storage/v1/render/image/authenticated/files/hidden.png?preset=${preset}`;
    const bytes = await until(
      async () => {
        const answer = await service.fetch(path, { as: owner });
        const body = Buffer.from(await answer.arrayBuffer());
        return answer.status === 200 ? body : undefined;
      },
      { timeoutMs: 30_000, what: `the thumbnail ${preset} is there` },
    );
    found.push(bytes);
  }
  return found;
}

async function bearersOf(owner: string): Promise<FuzzSite['bearers']> {
  const claims = { sub: owner, role: 'authenticated' };
  const now = Math.floor(Date.now() / 1000);
  const own = await signToken(claims);
  const aimed = { ...claims, iss: 'rowlock', aud: 'rowlock' };
  const hostile: readonly (readonly [string, string | undefined])[] = [
    ['no token at all', 'x'],
    ['wrong signature', await signToken(claims, 'another-secret-of-more-than-32-bytes-here')],
    [
      'wrong signature, service',
      await signToken({ role: 'service_role' }, 'another-secret-of-more-than-32-bytes-here'),
    ],
    ['alg none', unsignedToken({ alg: 'none', typ: 'JWT' }, claims)],
    ['alg None with a signature', unsignedToken({ alg: 'None' }, claims, own.split('.')[2])],
    ['alg RS256 keyed with the secret', handMadeToken({ alg: 'RS256' }, claims, jwtSecret)],
    ['empty key', handMadeToken({ alg: 'HS256' }, { ...claims, exp: now + 999 }, '')],
    ['expired', await signToken({ ...claims, exp: now - 3600 })],
    ['not yet', await signToken({ ...claims, nbf: now + 3600, exp: now + 7200 })],
    ['without an expiry', handMadeToken({ alg: 'HS256', typ: 'JWT' }, aimed, jwtSecret)],
    ['role that is not allowed', await signToken({ ...claims, role: 'postgres' })],
    ['anonymous', await signToken({ role: 'anon' })],
    ['anonymous with a subject', await signToken({ role: 'anon', sub: 'mallory' })],
    [
      'two claims of one name',
      handMadeToken({ alg: 'HS256' }, `{"exp":${now + 999},"sub":"mallory","sub":"x"}`, jwtSecret),
    ],
    ['without a subject', await signToken({ role: 'authenticated' })],
    ['a subject that is a list', await signToken({ role: 'authenticated', sub: 'mallory', user: [owner.slice(0, 6)] })],
  ];
  return [
    hostile.map(([what, token]) => ({ what, token, seesAll: false })),
    [{ what: 'another user', token: await signToken({ sub: 'mallory', role: 'authenticated' }), seesAll: false }],
    [{ what: 'nobody', token: undefined, seesAll: false }],
    [
      { what: 'the owner', token: own, seesAll: true },
      { what: 'the service', token: await signToken({ role: 'service_role' }), seesAll: true },
    ],
  ];
}

async function urlTokensOf(service: TestService, send: Send): Promise<FuzzSite['urlTokens']> {
  const signed = async (path: string, body: object, as?: string): Promise<string> => {
    const answer = await send('POST', path, { ...json(body), ...(as && { as }) });
    const { signedURL, url } = (await answer.json()) as { readonly signedURL?: string; readonly url: string };
    return new URL(signedURL ?? url, 'http://x').searchParams.get('token') ?? '';
  };
  const hidden = '/object/sign/vault/hidden.txt';
  const [expired, revoked, used] = [
    await signed(hidden, { expiresIn: 1 }),
    await signed(hidden, { register: true }),
    await signed(hidden, { max_uses: 1 }),
  ];
  const isOver = async (token: string): Promise<boolean> =>
    (await service.fetch(`/storage/v1${hidden}?token=${token}`)).status === 410;
  await until(() => isOver(used), { what: 'the counted one is used up' });
  await until(() => isOver(expired), { what: 'the short one has expired' });
  await send('DELETE', hidden);
  await until(() => isOver(revoked), { what: 'the revoked one is dead' });
  return [
    { token: await signed(hidden, { expiresIn: 86_400 }), grants: 'hidden' },
    ...[expired, revoked, used].map((token) => ({ token })),
    { token: await signed('/object/sign/plaza/shown.txt', {}, 'paula') },
    { token: await signed('/object/sign/mine/a.txt', {}, 'mallory') },
    { token: await signed('/object/upload/sign/mine/new.txt', {}, 'mallory') },
  ];
}

async function liveABit(send: Send, name: string, marker: string): Promise<void> {
  const body = contentOf(marker);
  await send('PUT', `/object/diary/${name}/a.txt`, { body });
  await send('POST', '/object/sign/vault/hidden.txt', json({ expiresIn: 60 }));
  const moved = { bucketId: 'diary', sourceKey: `${name}/a.txt`, destinationKey: `${name}/b.txt` };
  await send('POST', '/object/move', json(moved));
  await send('DELETE', `/object/diary/${name}/b.txt`);
}

async function stateOf({ database }: TestService, owner: string): Promise<unknown> {
  return await database.query(
    `SELECT to_jsonb(b) AS row FROM storage.buckets AS b WHERE owner_id = $1 OR id = 'files'
     UNION ALL
     SELECT to_jsonb(o) - 'last_accessed_at' FROM storage.objects AS o WHERE owner_id = $1
     UNION ALL
     SELECT to_jsonb(h) FROM storage.object_history AS h WHERE bucket_id <> 'mine'
     ORDER BY 1`,
    [owner],
  );
}
