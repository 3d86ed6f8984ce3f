/**
 * Operations that meet each other, each twice: as requests to the service, and as what it means when it is alone, on a
 * world of a few names. The meaning is so short that it can be believed; that both agree in every order is what tests
 * of interleavings ask. Invariant: a step's request says nothing that its meaning does not know.
 */
import assert from 'node:assert/strict';
import type { HeldService } from './held-service.ts';

/** What a step was answered, or what a read saw. `unknown`: nobody was told. */
export type Result = 'done' | 'refused' | 'unknown' | `saw ${string}`;

/** What a bucket has: the current text of each name, and what else steps ask for. */
export interface World {
  readonly objects: Map<string, string>;
  /** Texts of older versions that are kept, oldest first. */
  readonly kept: string[];
  /** Uses that are left of the signed URL. */
  uses: number;
  hasBucket: boolean;
}

/** Where one run happens. */
export interface Scene {
  readonly held: HeldService;
  readonly bucket: string;
  /** What arranging found out for the steps: URLs and ids. */
  readonly facts: Map<string, string>;
}

export interface Step {
  readonly name: string;
  readonly run: (scene: Scene, signal?: AbortSignal) => Promise<Result>;
  /** Does to a world what the step does alone, and says what it is answered. */
  readonly apply: (world: World) => Result;
  /** What else it may be answered where the other step is an expiry or a purge, changing nothing. */
  readonly mayBeRefused?: true;
}

/** Bytes of each text: long enough to be streamed, and never two texts in one body. */
export const textBytes = 150_000;
const bodyOf = (text: string): Buffer => Buffer.alloc(textBytes, text);

/** The text that bytes are, a part of it too. */
export function textOf(bytes: Buffer, length: number = textBytes): string {
  const text = bytes.toString('latin1');
  if (text.length !== length) return `${text.length} bytes`;
  for (const letter of 'abcdefghij') if (text === letter.repeat(length)) return letter;
  return 'bytes of several texts';
}

export const v1 = '/storage/v1';
export const json = (body: object, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

export interface Told {
  readonly status: number | 'lost';
  readonly body: Buffer;
}

/** A request of the bucket's owner, or of nobody; its client may leave, and its server may die. */
export async function tell(
  { held }: Scene,
  path: string,
  init: RequestInit & { readonly as?: string | undefined } = {},
): Promise<Told> {
  try {
    const response = await held.service.fetch(path, { as: 'ann', ...init });
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
  } catch (error) {
    const isExpected = error instanceof TypeError || (error instanceof Error && error.name === 'AbortError');
    if (!isExpected) throw error;
    return { status: 'lost', body: Buffer.alloc(0) };
  }
}

/** What a status means. An answer that no caller should ever have fails. */
export function resultOf({ status, body }: Told, what: string): Result {
  if (status === 'lost' || status === 503) return 'unknown';
  if (status >= 200 && status < 300) return 'done';
  assert.ok(status >= 400 && status < 500, `${what} was answered ${status}: ${body.toString().slice(0, 300)}`);
  return 'refused';
}

const requestStep =
  (name: string, request: (scene: Scene) => readonly [path: string, init: RequestInit & { readonly as?: undefined }]) =>
  async (scene: Scene, signal?: AbortSignal): Promise<Result> => {
    const [path, init] = request(scene);
    return resultOf(await tell(scene, path, { ...init, ...(signal && { signal }) }), name);
  };

const write = (world: World, name: string, text: string): Result => {
  const old = world.objects.get(name);
  if (old !== undefined) world.kept.push(old);
  world.objects.set(name, text);
  return 'done';
};

export const upload = (to: string, text: string): Step => ({
  name: `upload ${text} to ${to}`,
  run: requestStep('upload', ({ bucket }) => [
    `${v1}/object/${bucket}/${to}`,
    { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: bodyOf(text) },
  ]),
  apply: (world) => (world.hasBucket ? write(world, to, text) : 'refused'),
});

export const create = (name: string, text: string): Step => ({
  name: `create ${name} with ${text}`,
  run: requestStep('create', ({ bucket }) => [
    `${v1}/object/${bucket}/${name}`,
    { method: 'POST', headers: { 'if-none-match': '*', 'content-type': 'text/x' }, body: bodyOf(text) },
  ]),
  apply: (world) => (world.objects.has(name) ? 'refused' : write(world, name, text)),
});

export const remove = (name: string): Step => ({
  name: `delete ${name}`,
  run: requestStep('delete', ({ bucket }) => [`${v1}/object/${bucket}/${name}`, { method: 'DELETE' }]),
  apply: (world) => {
    const old = world.objects.get(name);
    if (old !== undefined) world.kept.push(old);
    world.objects.delete(name);
    return 'done';
  },
});

export const move = (from: string, to: string): Step => ({
  name: `move ${from} to ${to}`,
  run: requestStep('move', ({ bucket }) => {
    const asked = json({ bucketId: bucket, sourceKey: from, destinationKey: to });
    return [`${v1}/object/move`, { ...asked, headers: { ...asked.headers, 'x-upsert': 'true' } }];
  }),
  apply: ({ objects }) => {
    const text = objects.get(from);
    if (text === undefined) return 'refused';
    objects.delete(from);
    objects.set(to, text);
    return 'done';
  },
});

export const copy = (from: string, to: string): Step => ({
  name: `copy ${from} to ${to}`,
  run: requestStep('copy', ({ bucket }) => [
    `${v1}/object/copy`,
    json({ bucketId: bucket, sourceKey: from, destinationKey: to }),
  ]),
  apply: ({ objects }) => {
    const text = objects.get(from);
    if (text === undefined || objects.has(to)) return 'refused';
    objects.set(to, text);
    return 'done';
  },
});

export const moveFolder = (from: string, to: string): Step => ({
  name: `move the folder ${from} to ${to}`,
  run: requestStep('move-prefix', ({ bucket }) => [
    `${v1}/object/move-prefix`,
    json({ bucketId: bucket, sourcePrefix: from, destinationPrefix: to }),
  ]),
  apply: ({ objects }) => {
    const inside = [...objects].filter(([name]) => name.startsWith(`${from}/`));
    for (const [name, text] of inside) {
      objects.delete(name);
      objects.set(`${to}${name.slice(from.length)}`, text);
    }
    return inside.length > 0 ? 'done' : 'refused';
  },
});

/** Reads all but the first thousand bytes. */
export const readRange = (name: string): Step => ({
  name: `read a range of ${name}`,
  run: async (scene, signal) => {
    const headers = { range: 'bytes=1000-' };
    const told = await tell(scene, `${v1}/object/${scene.bucket}/${name}`, { headers, ...(signal && { signal }) });
    if (told.status === 206) return `saw ${textOf(told.body, textBytes - 1000)}`;
    return resultOf(told, 'read');
  },
  apply: ({ objects }) => (objects.has(name) ? `saw ${objects.get(name)}` : 'refused'),
});

/** Restores the version that arranging wrote as `text`. */
export const restore = (name: string, text: string): Step => ({
  name: `restore ${text} as ${name}`,
  run: requestStep('restore', ({ bucket, facts }) => [
    `${v1}/object/restore/${bucket}/${name}`,
    json({ version: facts.get(`version ${text}`) }),
  ]),
  apply: (world) => {
    if (world.objects.get(name) === text) return 'done';
    return world.kept.includes(text) ? write(world, name, text) : 'refused';
  },
});

export const purgeVersion = (name: string, text: string): Step => ({
  name: `purge ${text} of ${name}`,
  run: requestStep('purge', ({ bucket, facts }) => [
    `${v1}/object/${bucket}/${name}?version=${facts.get(`version ${text}`)}`,
    { method: 'DELETE' },
  ]),
  apply: (world) => {
    const others = world.kept.filter((each) => each !== text);
    world.kept.splice(0, world.kept.length, ...others);
    if (world.objects.get(name) !== text) return 'done';
    const below = world.kept.pop();
    if (below === undefined) world.objects.delete(name);
    else world.objects.set(name, below);
    return 'done';
  },
});

export const deleteBucket: Step = {
  name: 'delete the bucket',
  run: requestStep('delete bucket', ({ bucket }) => [`${v1}/bucket/${bucket}`, { method: 'DELETE' }]),
  apply: (world) => {
    if (!world.hasBucket || world.objects.size > 0) return 'refused';
    world.hasBucket = false;
    return 'done';
  },
};

/** Downloads by the URL that arranging signed. */
export const useUrl = (name: string): Step => ({
  name: `use the URL of ${name}`,
  run: async (scene, signal) => {
    const told = await tell(scene, scene.facts.get('url') ?? '', { as: undefined, ...(signal && { signal }) });
    return told.status === 200 ? `saw ${textOf(told.body)}` : resultOf(told, 'use');
  },
  apply: (world) => {
    if (world.uses === 0) return 'refused';
    world.uses -= 1;
    return `saw ${world.objects.get(name)}`;
  },
});

/** Uploads by the URL that arranging signed: it is good for one upload. */
export const useTicket = (name: string, text: string): Step => ({
  name: `upload ${text} by the signed URL`,
  run: requestStep('signed upload', ({ facts }) => [
    facts.get('url') ?? '',
    { as: undefined, method: 'PUT', body: bodyOf(text) },
  ]),
  apply: (world) => {
    if (world.uses === 0) return 'refused';
    world.uses -= 1;
    return write(world, name, text);
  },
});

/** Creates in a bucket whose quota is one object. */
export const createWithin = (name: string, text: string): Step => {
  const { apply, ...rest } = create(name, text);
  return { ...rest, apply: (world) => (world.objects.size > 0 ? 'refused' : apply(world)) };
};
