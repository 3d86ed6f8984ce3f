/**
 * A look at every row as the database's owner sees it, after each command: it finds the command that made the rows other
 * than the model's, and decides between worlds. Invariant: it compares what the model knows and nothing that only the
 * service knows, but for ids, which must stay what they are.
 */
import assert from 'node:assert/strict';
import type { Worlds } from './action.ts';
import type { ModelSite } from './site.ts';
import type { Entry, Item, World } from './world.ts';

interface Row {
  readonly id: string;
  readonly bucket: string;
  readonly name: string;
  readonly owner_id: string | null;
  readonly sha256: string | null;
  readonly size: string | null;
  readonly content_type: string | null;
  readonly cache_control: string | null;
  readonly user_metadata: object | null;
}

const columns = `substr(bucket_id, length($1) + 1) AS bucket, name, owner_id, encode(sha256, 'hex') AS sha256, size, content_type,
  cache_control, user_metadata`;

interface Glance {
  readonly objects: readonly Row[];
  readonly entries: readonly (Row & { readonly expires: boolean })[];
  readonly uploads: readonly string[];
  readonly buckets: readonly string[];
}

async function look(site: ModelSite): Promise<Glance> {
  const { database } = site.service;
  const [objects, entries, uploads, buckets] = await Promise.all([
    database.query<Row & Record<string, unknown>>(
      `SELECT id, ${columns} FROM storage.objects WHERE starts_with(bucket_id, $1) ORDER BY bucket_id, name COLLATE "C"`,
      [site.prefix],
    ),
    database.query<Row & { expires: boolean } & Record<string, unknown>>(
      `SELECT object_id AS id, ${columns}, purge_after IS NOT NULL AS expires FROM storage.object_history
       WHERE starts_with(bucket_id, $1) ORDER BY bucket_id, name COLLATE "C", sequence`,
      [site.prefix],
    ),
    database.query<{ name: string }>(
      "SELECT bucket_id || '/' || name AS name FROM storage.uploads WHERE starts_with(bucket_id, $1)",
      [site.prefix],
    ),
    database.query<{ id: string }>('SELECT id FROM storage.buckets WHERE starts_with(id, $1)', [site.prefix]),
  ]);
  return {
    objects,
    entries,
    uploads: uploads.map(({ name }) => name.slice(site.prefix.length)).sort(),
    buckets: buckets.map(({ id }) => id.slice(site.prefix.length)).sort(),
  };
}

/** What a row says, in one text: of the service's and of the model's alike. */
function rowText(site: ModelSite, row: Row): string {
  const text = row.sha256 === null ? '-' : (site.texts.get(row.sha256) ?? row.sha256);
  const size = row.size === null ? null : Number(row.size);
  return JSON.stringify([
    row.bucket,
    row.name,
    row.owner_id,
    text,
    size,
    row.content_type,
    row.cache_control,
    row.user_metadata,
  ]);
}

function itemText({ bucket, name, owner, version, cache_control, user_metadata }: Item | Entry): string {
  const [text, size, type] = version === null ? ['-', null, null] : [version.text, version.text.length, version.type];
  return JSON.stringify([bucket, name, owner, text, size, type, cache_control, user_metadata]);
}

const inOrder = (a: Pick<Item, 'bucket' | 'name'>, b: Pick<Item, 'bucket' | 'name'>): number =>
  Buffer.compare(Buffer.from(`${a.bucket}\0${a.name}`), Buffer.from(`${b.bucket}\0${b.name}`));

/** What differs between a world and what was seen; undefined where nothing does. Learns new ids of objects. */
function differenceOf(site: ModelSite, world: World, glance: Glance): string | undefined {
  const items = [...world.objects].sort(inOrder);
  const entries = [...world.entries].sort(inOrder);
  const expected = {
    buckets: Object.keys(world.buckets).sort(),
    objects: items.map(itemText),
    entries: entries.map((each) => `${itemText(each)} ${each.expires}`),
    uploads: world.uploads.map(({ request }) => `${request.bucket}/${request.name}`).sort(),
  };
  const seen = {
    buckets: glance.buckets,
    objects: glance.objects.map((row) => rowText(site, row)),
    entries: glance.entries.map((row) => `${rowText(site, row)} ${row.expires}`),
    uploads: glance.uploads,
  };
  const kinds = ['buckets', 'objects', 'entries', 'uploads'] as const;
  const wrong = kinds.find((kind) => JSON.stringify(seen[kind]) !== JSON.stringify(expected[kind]));
  if (wrong !== undefined) {
    return `${wrong} are\n  ${seen[wrong].join('\n  ')}\nand not\n  ${expected[wrong].join('\n  ')}`;
  }
  const ids = [...items.map(({ id }) => id), ...entries.map(({ object }) => object)];
  const rows = [...glance.objects, ...glance.entries];
  return ids.map((id, place) => learn(world, id, rows[place]?.id ?? '')).find((each) => each !== undefined);
}

/** An object keeps its id, and no other has it. */
function learn(world: World, id: number, real: string): string | undefined {
  const known = world.real_ids[id];
  if (known === real) return undefined;
  if (known !== undefined) return `object ${id} was ${known} and is ${real}`;
  if (Object.values(world.real_ids).includes(real)) return `${real} is two objects`;
  world.real_ids[id] = real;
  return undefined;
}

/** Keeps the worlds that look as the service does. */
export async function glance(worlds: Worlds, site: ModelSite, after: string): Promise<void> {
  const seen = await look(site);
  const differences = worlds.list.map((world) => [world, differenceOf(site, world, seen)] as const);
  const right = differences.filter(([, difference]) => difference === undefined).map(([world]) => world);
  const said = differences.map(([, difference]) => difference).join('\n');
  assert.ok(right.length > 0, `after ${after} the rows are not what the model says: ${said}`);
  worlds.list = right;
}
