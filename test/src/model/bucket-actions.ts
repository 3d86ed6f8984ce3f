/** Buckets as actions: made, changed, emptied, deleted over HTTP, dropped with everything in SQL. */
import type { Action } from './action.ts';
import { changeBucket, createBucket, deleteBucket, dropBucket, emptyBucket, purgeHistory } from './bucket-rules.ts';
import type { Door } from './object-actions.ts';
import { mayChangeBucket } from './rights.ts';
import { asHttp } from './spelling.ts';
import { type BucketSettings, refuseIf, type Who, type World } from './world.ts';

/** Settings as their columns have them. */
function columnsOf({ size_max, types, soft, ...rest }: Partial<BucketSettings>): Record<string, unknown> {
  return {
    ...rest,
    ...(size_max === undefined ? {} : { file_size_limit: size_max }),
    ...(types === undefined ? {} : { allowed_mime_types: types }),
    ...(soft === undefined ? {} : { soft_delete_seconds: soft ? 3600 : null }),
  };
}

export const createBucketAction = (who: Who, name: string, settings: BucketSettings): Action => ({
  label: `${who} creates ${name} ${JSON.stringify(settings)}`,
  apply(world) {
    refuseIf(who === 'anon', 'auth_required');
    createBucket(world, who, name, settings);
    return 'done';
  },
  async perform(site) {
    return (await site.post(who, '/bucket', { name: site.bucket(name), ...columnsOf(settings) })).word;
  },
});

export function changeBucketAction(who: Who, name: string, changes: Partial<BucketSettings>, door: Door): Action {
  return {
    label: `${who} sets ${name} ${JSON.stringify(changes)} over ${door}`,
    apply(world) {
      if (door === 'sql') return changeRow(world, who, name, changes);
      asHttp(world, { who, bucket: name }, () => changeBucket(world, who, name, changes));
      return 'done';
    },
    async perform(site) {
      const columns = columnsOf(changes);
      if (door === 'http') {
        const init = {
          method: 'PATCH',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(columns),
        };
        return (await site.send(who, `/bucket/${site.bucket(name)}`, init)).word;
      }
      const set = Object.keys(columns).map((column, place) => `${column} = $${place + 2}`);
      const text = `UPDATE storage.buckets SET ${set.join(', ')} WHERE id = $1`;
      const { word, count } = await site.sql(who, [text, [site.bucket(name), ...Object.values(columns)]]);
      return word === 'done' ? `done ${count}` : word;
    },
  };
}

function changeRow(world: World, who: Who, name: string, changes: Partial<BucketSettings>): string {
  const bucket = world.buckets[name];
  refuseIf(who === 'anon', 'not_allowed');
  if (bucket === undefined || !mayChangeBucket(who, bucket)) return 'done 0';
  changeBucket(world, who, name, changes);
  return 'done 1';
}

export const emptyBucketAction = (who: Who, name: string): Action => ({
  label: `${who} empties ${name}`,
  apply: (world) => JSON.stringify(asHttp(world, { who, bucket: name }, () => emptyBucket(world, who, name))),
  async perform(site) {
    const answer = await site.post(who, `/bucket/${site.bucket(name)}/empty`, {});
    if (answer.word !== 'done') return answer.word;
    const { deleted, is_empty } = JSON.parse(answer.text) as { deleted: number; is_empty: boolean };
    return JSON.stringify({ deleted, is_empty });
  },
});

export function deleteBucketAction(who: Who, name: string, isForced: boolean): Action {
  return {
    label: `${who} deletes ${name}${isForced ? ' by force' : ''}`,
    apply(world) {
      asHttp(world, { who, bucket: name }, () => {
        if (isForced) purgeHistory(world, who, name);
        deleteBucket(world, who, name);
      });
      return 'done';
    },
    refused(world) {
      if (isForced) purgeHistory(world, who, name);
    },
    async perform(site) {
      const path = `/bucket/${site.bucket(name)}${isForced ? '?force=true' : ''}`;
      return (await site.send(who, path, { method: 'DELETE' })).word;
    },
  };
}

/** The service takes a bucket away with all that is in it, in one transaction. */
export const dropBucketAction = (name: string): Action => ({
  label: `the service drops ${name} in SQL`,
  apply: (world) => `done ${dropBucket(world, name)}`,
  async perform(site) {
    const values = [site.bucket(name)];
    const { word, count } = await site.sql(
      'service',
      ['DELETE FROM storage.objects WHERE bucket_id = $1', values],
      ['DELETE FROM storage.object_history WHERE bucket_id = $1', values],
      ['DELETE FROM storage.buckets WHERE id = $1', values],
    );
    return word === 'done' ? `done ${count}` : word;
  },
});
