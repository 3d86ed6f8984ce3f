/** Deletes, moves and copies of objects as actions, over HTTP and in SQL. */
import type { Action } from './action.ts';
import { copy, insertRow, move, type Place, type Relocation, updateMetadata, updatePlace } from './relocations.ts';
import { type ModelSite, metadataHeaders } from './site.ts';
import { asHttp } from './spelling.ts';
import { type Metadata, Refused, refuseIf, type Who, type World } from './world.ts';
import { deleteRow, seen } from './writes.ts';

export type Door = 'http' | 'sql';

const told = ({ bucket, name }: Place): string => `${bucket}/${name}`;

export function deleteAction(who: Who, at: Place, if_match: string | null): Action {
  return {
    label: `${who} deletes ${told(at)}${if_match === null ? '' : ` if it is ${if_match}`}`,
    apply: (world) => asHttp(world, { who, bucket: at.bucket }, () => deleteObject(world, { who, at, if_match })),
    async perform(site) {
      const headers: Record<string, string> = if_match === null ? {} : { 'if-match': `"${site.etagOf(if_match)}"` };
      const init = { method: 'DELETE', headers };
      return (await site.send(who, `/object/${site.pathOf(at.bucket, at.name)}`, init)).word;
    },
  };
}

interface Deletion {
  readonly who: Who;
  readonly at: Place;
  readonly if_match: string | null;
}

/** What is not there is deleted already, for who sees the bucket. */
function deleteObject(world: World, { who, at, if_match }: Deletion): string {
  const found = seen(world, who, at.bucket, at.name);
  const isRight = if_match === null || found?.version.text === if_match;
  if (isRight && deleteRow(world, who, at.bucket, at.name)) return 'done';
  if (found === undefined) {
    asHttp(world, { who, bucket: at.bucket }, () => {
      throwUnlessVisible(world, who, at.bucket);
    });
    refuseIf(who === 'anon', 'auth_required');
  }
  refuseIf(!isRight, 'precondition_failed');
  refuseIf(found !== undefined, 'not_allowed');
  return 'done';
}

function throwUnlessVisible(world: World, who: Who, bucket: string): void {
  try {
    asHttp(world, { who, bucket }, () => {
      throw new Refused('object_not_found');
    });
  } catch (error) {
    if (error instanceof Refused && error.reasons.includes('object_not_found')) return;
    throw error;
  }
}

export const deleteRowAction = (who: Who, at: Place): Action => ({
  label: `${who} deletes ${told(at)} in SQL`,
  apply(world) {
    return deleteRow(world, who, at.bucket, at.name) ? 'done 1' : 'done 0';
  },
  async perform(site) {
    const text = 'DELETE FROM storage.objects WHERE bucket_id = $1 AND name = $2';
    const { word, count } = await site.sql(who, [text, [site.bucket(at.bucket), at.name]]);
    return word === 'done' ? `done ${count}` : word;
  },
});

/** Several exact names in one call; what is hidden, missing or kept is left out. */
export const deleteNamesAction = (who: Who, bucket: string, names: readonly string[]): Action => ({
  label: `${who} deletes ${names.join(' and ')} of ${bucket}`,
  apply(world) {
    refuseIf(who === 'anon', 'auth_required');
    const gone = [...new Set(names)].filter((name) => deleteRow(world, who, bucket, name));
    return JSON.stringify(gone.sort());
  },
  async perform(site) {
    const init = {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prefixes: names }),
    };
    const answer = await site.send(who, `/object/${site.bucket(bucket)}`, init);
    if (answer.word !== 'done') return answer.word;
    return JSON.stringify((JSON.parse(answer.text) as { name: string }[]).map(({ name }) => name).sort());
  },
});

function relocationBody(site: ModelSite, { from, to }: Relocation): object {
  return {
    bucketId: site.bucket(from.bucket),
    sourceKey: from.name,
    destinationBucket: site.bucket(to.bucket),
    destinationKey: to.name,
  };
}

function relocationHeaders(site: ModelSite, { overwrite, if_match }: Relocation): Record<string, string> {
  return {
    'x-upsert': String(overwrite),
    ...(if_match === null ? {} : { 'if-match': `"${site.etagOf(if_match)}"` }),
  };
}

/** The arguments of the function in SQL. */
const relocationValues = (site: ModelSite, { from, to, overwrite, if_match }: Relocation): unknown[] => [
  site.bucket(from.bucket),
  from.name,
  site.bucket(to.bucket),
  to.name,
  overwrite,
  if_match === null ? null : [site.etagOf(if_match)],
];

const relocationLabel = (verb: string, { who, from, to, overwrite, if_match }: Relocation): string =>
  `${who} ${verb} ${told(from)} to ${told(to)}${overwrite ? ', overwriting' : ''}${if_match === null ? '' : `, if it is ${if_match}`}`;

export function moveAction(request: Relocation, door: Door): Action {
  const { who, from } = request;
  return {
    label: `${relocationLabel('moves', request)} over ${door}`,
    apply(world) {
      if (door === 'http') asHttp(world, { who, bucket: from.bucket }, () => move(world, request));
      else move(world, request);
      return 'done';
    },
    async perform(site) {
      if (door === 'sql') {
        const text = 'SELECT storage.move_object($1, $2, $3, $4, $5, NULL, $6)';
        return (await site.sql(who, [text, relocationValues(site, request)])).word;
      }
      const headers = relocationHeaders(site, request);
      return (await site.post(who, '/object/move', relocationBody(site, request), headers)).word;
    },
  };
}

export function copyAction(request: Relocation & { readonly given: Metadata | null }, door: Door): Action {
  const { who, from, given } = request;
  return {
    label: `${relocationLabel('copies', request)} over ${door}${given === null ? '' : ' with other metadata'}`,
    apply(world) {
      const isNew =
        door === 'http'
          ? asHttp(world, { who, bucket: from.bucket }, () => copy(world, request))
          : copy(world, request);
      return isNew ? 'created' : 'replaced';
    },
    async perform(site) {
      if (door === 'sql') {
        const text = 'SELECT created FROM storage.copy_object($1, $2, $3, $4, $5, NULL, $6, NULL, $7)';
        const { word, rows } = await site.sql(who, [text, [...relocationValues(site, request), given]]);
        return word === 'done' ? (rows[0]?.['created'] ? 'created' : 'replaced') : word;
      }
      return await copyOverHttp(site, request);
    },
  };
}

async function copyOverHttp(
  site: ModelSite,
  request: Relocation & { readonly given: Metadata | null },
): Promise<string> {
  const { who, given } = request;
  const own =
    given === null ? {} : { copyMetadata: false, metadata: { cacheControl: given.cache_control ?? undefined } };
  const headers = {
    ...relocationHeaders(site, request),
    ...(given === null ? {} : metadataHeaders({ ...given, cache_control: null })),
  };
  const answer = await site.post(who, '/object/copy', { ...relocationBody(site, request), ...own }, headers);
  if (answer.word !== 'done') return answer.word;
  return (JSON.parse(answer.text) as { created: boolean }).created ? 'created' : 'replaced';
}

export const updatePlaceAction = (who: Who, from: Place, to: Place): Action => ({
  label: `${who} updates the place of ${told(from)} to ${told(to)}`,
  apply: (world) => `done ${updatePlace(world, who, from, to)}`,
  async perform(site) {
    const text =
      from.bucket === to.bucket
        ? 'UPDATE storage.objects SET name = $4 WHERE bucket_id = $1 AND name = $2 AND bucket_id = $3'
        : 'UPDATE storage.objects SET bucket_id = $3, name = $4 WHERE bucket_id = $1 AND name = $2';
    const values = [site.bucket(from.bucket), from.name, site.bucket(to.bucket), to.name];
    const { word, count } = await site.sql(who, [text, values]);
    return word === 'done' ? `done ${count}` : word;
  },
});

export const updateMetadataAction = (who: Who, at: Place, metadata: Metadata): Action => ({
  label: `${who} updates the metadata of ${told(at)}`,
  apply: (world) => `done ${updateMetadata(world, who, at, metadata)}`,
  async perform(site) {
    const text = 'UPDATE storage.objects SET cache_control = $3, user_metadata = $4 WHERE bucket_id = $1 AND name = $2';
    const values = [site.bucket(at.bucket), at.name, metadata.cache_control, metadata.user_metadata];
    const { word, count } = await site.sql(who, [text, values]);
    return word === 'done' ? `done ${count}` : word;
  },
});

/** A row by hand: without bytes it is refused, with those of another object it is a copy. */
export const insertRowAction = (who: Who, to: Place, text: string | null): Action => ({
  label: `${who} inserts ${told(to)}${text === null ? ' without bytes' : ` with ${text}`} in SQL`,
  apply(world) {
    insertRow(world, who, to, text);
    return 'done';
  },
  async perform(site) {
    const statement = 'INSERT INTO storage.objects (bucket_id, name, version_id) VALUES ($1, $2, $3)';
    const version = text === null ? null : await site.versionOf(text);
    return (await site.sql(who, [statement, [site.bucket(to.bucket), to.name, version]])).word;
  },
});
