/** Restores and purges as actions, over HTTP and in SQL, and time that passes. */
import type { Action } from './action.ts';
import type { Door } from './object-actions.ts';
import type { Place } from './relocations.ts';
import { asHttp } from './spelling.ts';
import { expire, type PurgeTarget, purge, restore } from './versions.ts';
import { Refused, refuseIf, type Who, type World } from './world.ts';

interface Restoring {
  readonly who: Who;
  readonly at: Place;
  /** Null takes the last deletion back. */
  readonly text: string | null;
}

export function restoreAction({ who, at, text }: Restoring, door: Door): Action {
  return {
    label: `${who} restores ${text ?? 'what was deleted'} of ${at.bucket}/${at.name} over ${door}`,
    apply(world) {
      if (door === 'http') asHttp(world, { who, bucket: at.bucket }, () => restore(world, who, at, text));
      else restore(world, who, at, text);
      return 'done';
    },
    async perform(site) {
      const version = text === null ? null : await site.versionOf(text);
      if (door === 'sql') {
        const values = [site.bucket(at.bucket), at.name, version];
        return (await site.sql(who, ['SELECT storage.restore_object($1, $2, $3)', values])).word;
      }
      return (await site.post(who, `/object/restore/${site.pathOf(at.bucket, at.name)}`, { version })).word;
    },
  };
}

interface Purging {
  readonly who: Who;
  readonly at: Place;
  readonly target: PurgeTarget;
}

export function purgeAction({ who, at, target }: Purging, door: Door): Action {
  const what = 'text' in target ? target.text : `delete marker ${target.marker}`;
  return {
    label: `${who} purges ${what} of ${at.bucket}/${at.name} over ${door}`,
    apply(world) {
      if (door === 'http') return purgeOverHttp(world, { who, at, target });
      refuseIf(who === 'anon', 'not_allowed'); // the role has no DELETE there at all
      return `done ${purge(world, who, at, target)}`;
    },
    async perform(site) {
      const version = 'text' in target ? await site.versionOf(target.text) : await site.markerOf(at, target.marker);
      if (door === 'sql') {
        const values = [site.bucket(at.bucket), at.name, version];
        const { word, rows } = await site.sql(who, ['SELECT storage.purge_version($1, $2, $3) AS purged', values]);
        return word === 'done' ? `done ${rows[0]?.['purged']}` : word;
      }
      const path = `/object/${site.pathOf(at.bucket, at.name)}?version=${version}`;
      return (await site.send(who, path, { method: 'DELETE' })).word;
    },
  };
}

/** What is not there is purged already, for who sees the bucket; that is asked after the purge. */
function purgeOverHttp(world: World, { who, at, target }: Purging): string {
  refuseIf(who === 'anon', 'auth_required');
  if (purge(world, who, at, target)) return 'done';
  try {
    return asHttp(world, { who, bucket: at.bucket }, () => {
      throw new Refused('object_not_found');
    });
  } catch (error) {
    if (error instanceof Refused && error.reasons.includes('object_not_found')) return 'done';
    throw error;
  }
}

export const expireAction: Action = {
  label: 'the time of soft deletes is over',
  apply(world) {
    expire(world);
    return 'done';
  },
  async perform(site) {
    await site.expire();
    return 'done';
  },
};

/** What killed processes left behind is swept; only where nothing else is under way. */
export const sweepAction: Action = {
  label: 'the sweep',
  apply(world) {
    world.uploads = world.uploads.filter(({ is_alive }) => is_alive);
    return 'done';
  },
  async perform(site) {
    await site.sweep();
    return 'done';
  },
};
