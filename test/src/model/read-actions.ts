/** Everything that can be read, as actions: what they answer decides between worlds. */
import type { Action } from './action.ts';
import { accountsOf, usageOf } from './bookkeeping.ts';
import { listedLinks } from './links.ts';
import { below, type Place } from './relocations.ts';
import { seesBucket, seesObject } from './rights.ts';
import type { ModelSite } from './site.ts';
import { asHttp } from './spelling.ts';
import { entriesSeen } from './versions.ts';
import { type Item, Refused, refuseIf, sizeOf, type Version, type Who, type World } from './world.ts';
import { seen } from './writes.ts';

/** Bytewise, as names are listed. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

function found(world: World, who: Who, { bucket, name }: Place): Item {
  const item = seen(world, who, bucket, name);
  if (item === undefined) throw new Refused('object_not_found');
  return item;
}

export const downloadAction = (who: Who, at: Place): Action => ({
  label: `${who} downloads ${at.bucket}/${at.name}`,
  apply: (world) => asHttp(world, { who, bucket: at.bucket }, () => found(world, who, at).version.text),
  async perform(site) {
    const answer = await site.send(who, `/object/${site.pathOf(at.bucket, at.name)}`);
    return answer.word === 'done' ? answer.text : answer.word;
  },
});

const infoOf = ({ name, owner, version, cache_control, user_metadata }: Item): string =>
  JSON.stringify([
    name,
    owner,
    version.text,
    sizeOf(version),
    version.type,
    cache_control ?? 'no-cache',
    user_metadata ?? {},
  ]);

interface InfoBody {
  readonly name: string;
  readonly owner_id: string | null;
  readonly sha256: string;
  readonly size: number;
  readonly content_type: string;
  readonly cache_control: string;
  readonly metadata: object;
}

export const infoAction = (who: Who, at: Place): Action => ({
  label: `${who} asks for ${at.bucket}/${at.name}`,
  apply: (world) => asHttp(world, { who, bucket: at.bucket }, () => infoOf(found(world, who, at))),
  async perform(site) {
    const answer = await site.send(who, `/object/info/${site.pathOf(at.bucket, at.name)}`);
    if (answer.word !== 'done') return answer.word;
    const body = JSON.parse(answer.text) as InfoBody;
    const text = site.texts.get(body.sha256);
    return JSON.stringify([
      body.name,
      body.owner_id,
      text,
      body.size,
      body.content_type,
      body.cache_control,
      body.metadata,
    ]);
  },
});

/** A version of a name, current or not, by its bytes. */
export const downloadVersionAction = (who: Who, at: Place, text: string): Action => ({
  label: `${who} downloads ${text} of ${at.bucket}/${at.name}`,
  apply: (world) =>
    asHttp(world, { who, bucket: at.bucket }, () => {
      const isCurrent = seen(world, who, at.bucket, at.name)?.version.text === text;
      const isKept = entriesSeen(world, who, at).some(({ version }) => version?.text === text);
      refuseIf(!isCurrent && !isKept, 'object_not_found');
      return text;
    }),
  async perform(site) {
    const path = `/object/${site.pathOf(at.bucket, at.name)}?version=${await site.versionOf(text)}`;
    const answer = await site.send(who, path);
    return answer.word === 'done' ? answer.text : answer.word;
  },
});

/** The versions of a name, newest first; `-` stands for a delete marker. */
export const versionsAction = (who: Who, at: Place): Action => ({
  label: `${who} lists the versions of ${at.bucket}/${at.name}`,
  apply: (world) =>
    asHttp(world, { who, bucket: at.bucket }, () => {
      const current = seen(world, who, at.bucket, at.name);
      const older = [...entriesSeen(world, who, at)].reverse();
      const list = [...(current === undefined ? [] : [current]), ...older];
      refuseIf(list.length === 0, 'object_not_found');
      return JSON.stringify(list.map(({ version, owner }) => [version?.text ?? '-', owner]));
    }),
  async perform(site) {
    const answer = await site.send(who, `/object/versions/${site.pathOf(at.bucket, at.name)}?limit=1000`);
    if (answer.word !== 'done') return answer.word;
    const { versions } = JSON.parse(answer.text) as {
      versions: { delete_marker: boolean; sha256: string; owner_id: string | null }[];
    };
    return JSON.stringify(
      versions.map((each) => [each.delete_marker ? '-' : site.texts.get(each.sha256), each.owner_id]),
    );
  },
});

/** What of a bucket was deleted and can be restored: for each name the version that comes back. */
export const deletedAction = (who: Who, bucket: string): Action => ({
  label: `${who} lists what was deleted of ${bucket}`,
  apply: (world) =>
    asHttp(world, { who, bucket }, () => {
      const names = [...new Set(world.entries.filter((each) => each.bucket === bucket).map(({ name }) => name))];
      const gone = names.sort(byBytes).flatMap((name) => restorable(world, who, { bucket, name }));
      refuseIf(gone.length === 0 && !seesBucket(world, who, bucket), 'bucket_not_found');
      return JSON.stringify(gone);
    }),
  async perform(site) {
    const answer = await site.send(who, `/object/versions/${site.bucket(bucket)}?limit=1000`);
    if (answer.word !== 'done') return answer.word;
    const { versions } = JSON.parse(answer.text) as { versions: { name: string; sha256: string }[] };
    return JSON.stringify(versions.map(({ name, sha256 }) => [name, site.texts.get(sha256)]));
  },
});

function restorable(world: World, who: Who, at: Place): (readonly [name: string, text: string])[] {
  const own = entriesSeen(world, who, at);
  const newest = own.findLast(({ version }) => version !== null)?.version;
  const hasMarker = own.some(({ version }) => version === null);
  const isDeleted = hasMarker && seen(world, who, at.bucket, at.name) === undefined;
  return isDeleted && newest ? [[at.name, newest.text]] : [];
}

/** One object of a listing: its name, text and owner. */
const rowOf = ({ name }: { readonly name: string }, { text }: Version): readonly [string, string] => [name, text];

function listed(world: World, who: Who, bucket: string): string {
  const items = below(world, who, bucket, '');
  refuseIf(items.length === 0 && !seesBucket(world, who, bucket), 'bucket_not_found');
  return JSON.stringify([...items].sort((a, b) => byBytes(a.name, b.name)).map((each) => rowOf(each, each.version)));
}

interface ListedObject {
  readonly name: string;
  readonly metadata: { readonly eTag: string };
}

const nameAndText = (site: ModelSite, { name, metadata }: ListedObject): readonly [string, string | undefined] => [
  name,
  site.texts.get(metadata.eTag.replaceAll('"', '')),
];

/** Everything that somebody sees in a bucket, in one answer. */
export const listAction = (who: Who, bucket: string): Action => ({
  label: `${who} lists ${bucket}`,
  apply: (world) => asHttp(world, { who, bucket }, () => listed(world, who, bucket)),
  async perform(site) {
    const answer = await site.post(who, `/object/list/${site.bucket(bucket)}`, {
      prefix: '',
      recursive: true,
      limit: 1000,
    });
    if (answer.word !== 'done') return answer.word;
    return JSON.stringify((JSON.parse(answer.text) as ListedObject[]).map((each) => nameAndText(site, each)));
  },
});

/** The same page by page. */
export const pagesAction = (who: Who, bucket: string, limit: number): Action => ({
  label: `${who} lists ${bucket} by pages of ${limit}`,
  apply: (world) => asHttp(world, { who, bucket }, () => listed(world, who, bucket)),
  async perform(site) {
    const rows: (readonly [string, string | undefined])[] = [];
    let cursor: string | undefined;
    do {
      const body = { limit, ...(cursor === undefined ? {} : { cursor }) };
      const answer = await site.post(who, `/object/list-v2/${site.bucket(bucket)}`, body);
      if (answer.word !== 'done') return answer.word;
      const page = JSON.parse(answer.text) as { nextCursor?: string; objects: ListedObject[] };
      rows.push(...page.objects.map((each) => nameAndText(site, each)));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return JSON.stringify(rows);
  },
});

/** The rows that somebody may select, with what is kept of older versions. */
export const selectAction = (who: Who, bucket: string): Action => ({
  label: `${who} selects from ${bucket} in SQL`,
  apply(world) {
    const items = world.objects.filter((each) => each.bucket === bucket && seesObject(world, who, each));
    const names = [...new Set(world.entries.filter((each) => each.bucket === bucket).map(({ name }) => name))];
    const older = names.flatMap((name) => entriesSeen(world, who, { bucket, name }));
    const rows = [...items, ...older].map(({ name, version, owner }) =>
      JSON.stringify([name, version?.text ?? '-', owner]),
    );
    return JSON.stringify(rows.sort());
  },
  async perform(site) {
    const text = `SELECT name, encode(sha256, 'hex') AS sha256, delete_marker, owner_id FROM storage.object_versions
      WHERE bucket_id = $1`;
    const { word, rows } = await site.sql(who, [text, [site.bucket(bucket)]]);
    if (word !== 'done') return word;
    const seenRows = rows.map((each) =>
      JSON.stringify([
        each['name'],
        each['delete_marker'] ? '-' : site.texts.get(String(each['sha256'])),
        each['owner_id'],
      ]),
    );
    return JSON.stringify(seenRows.sort());
  },
});

/** Whether somebody sees a bucket. */
export const bucketAction = (who: Who, bucket: string): Action => ({
  label: `${who} asks for bucket ${bucket}`,
  apply: (world) =>
    asHttp(world, { who, bucket }, () => {
      refuseIf(!seesBucket(world, who, bucket), 'bucket_not_found');
      return 'done';
    }),
  async perform(site) {
    return (await site.send(who, `/bucket/${site.bucket(bucket)}`)).word;
  },
});

/** What the service counts in a bucket: used and reserved. */
export const usageAction = (bucket: string): Action => ({
  label: `the service asks what is used of ${bucket}`,
  apply(world) {
    const owners = [null, 'ann', 'ben'];
    const accounts = new Map(owners.flatMap((owner) => accountsOf(world, bucket, owner).map((each) => [each, owner])));
    const used = [...accounts.keys()].map((account) => [account.split('/')[1], usageOf(world, account)] as const);
    const counted = used.filter(([, { objects, reserved_objects }]) => objects + reserved_objects > 0);
    return JSON.stringify(
      counted
        .map(([owner, each]) =>
          JSON.stringify([owner, each.bytes, each.objects, each.reserved_bytes, each.reserved_objects]),
        )
        .sort(),
    );
  },
  async perform(site) {
    const answer = await site.send('service', `/quota?bucket=${site.bucket(bucket)}`);
    if (answer.word !== 'done') return answer.word;
    const counted = (JSON.parse(answer.text) as UsageBody[]).filter(
      ({ used_objects, reserved_objects }) => used_objects + reserved_objects > 0,
    );
    return JSON.stringify(
      counted
        .map((each) =>
          JSON.stringify([
            each.owner_id ?? '',
            each.used_bytes,
            each.used_objects,
            each.reserved_bytes,
            each.reserved_objects,
          ]),
        )
        .sort(),
    );
  },
});

interface UsageBody {
  readonly owner_id: string | null;
  readonly used_bytes: number;
  readonly used_objects: number;
  readonly reserved_bytes: number;
  readonly reserved_objects: number;
}

/** The live URLs that are counted, as far as somebody sees them. */
export const linksAction = (who: Who): Action => ({
  label: `${who} lists URLs`,
  apply(world) {
    refuseIf(who === 'anon', 'auth_required');
    const links = listedLinks(world, who).map(({ id, uses_left }) => JSON.stringify([id, uses_left]));
    return JSON.stringify(links.sort());
  },
  async perform(site) {
    const answer = await site.send(who, '/signed-urls?limit=1000');
    if (answer.word !== 'done') return answer.word;
    const held = new Map([...site.links].map(([number, { id }]) => [id, number]));
    const rows = (JSON.parse(answer.text) as { id: string; uses_left: number }[]).flatMap(({ id, uses_left }) =>
      held.has(id) ? [JSON.stringify([held.get(id), uses_left])] : [],
    );
    return JSON.stringify(rows.sort());
  },
});
