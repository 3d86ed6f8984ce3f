/**
 * What needs care, judged from the service's report: each as a sentence and what to do about it. Bounds stand here, with
 * their reasons; it makes no elements and asks nobody. What it does not name is in order.
 */
import type { JobOverview, StorageHealth } from '@rowlock/client';
import { durationInWords } from '../jobs/job-wording.ts';
import { bytesInWords } from '../wording.ts';

export interface Concern {
  /** `broken`: something does not work, or bytes are at risk. `watch`: it will not last. */
  readonly level: 'broken' | 'watch';
  readonly says: string;
  readonly fix: string;
}

/** A user waits for thumbnails and links; five minutes is long for all of our jobs. */
const waitSecondsMax = 300;
/** A store in the same region answers in tens of milliseconds. */
const storeMillisecondsMax = 1000;
const fullnessMax = 0.9;
/** Every second row dead, of a table that is worth a vacuum. */
const deadShareMax = 0.5;
const deadRowsMin = 50_000;
/** Often enough to find lost bytes while a backup still has them. */
const fsckDaysMax = 35;

const days = (moment: string, now: Date): number => (now.getTime() - new Date(moment).getTime()) / 86_400_000;

/** What is wrong, the worst first. */
export function concernsOf(health: StorageHealth, jobs: JobOverview, now: Date): readonly Concern[] {
  const all = [
    ...atStart(health),
    ...ofStores(health),
    ...ofFsck(health, now),
    ...ofJobs(jobs),
    ...ofUpkeep(health),
    ...ofQuotas(health),
    ...ofTables(health),
  ];
  return [...all.filter(({ level }) => level === 'broken'), ...all.filter(({ level }) => level === 'watch')];
}

function atStart({ concerns }: StorageHealth): readonly Concern[] {
  return concerns.map(({ check, state, says, fix }) => ({
    level: state === 'fail' ? 'broken' : 'watch',
    says: `When the service started, the ${check} ${says}.`,
    fix: fix ?? 'rowlock doctor',
  }));
}

function ofStores({ stores }: StorageHealth): readonly Concern[] {
  return stores.flatMap(({ name, ok, milliseconds }): Concern[] => {
    if (!ok) {
      const how = milliseconds === null ? 'does not answer' : 'takes no writes';
      return [{ level: 'broken', says: `The store ${name} ${how}.`, fix: 'rowlock doctor says what it answers' }];
    }
    return (milliseconds ?? 0) > storeMillisecondsMax
      ? [
          {
            level: 'watch',
            says: `The store ${name} took ${milliseconds} ms for a small write.`,
            fix: 'rowlock doctor',
          },
        ]
      : [];
  });
}

function ofFsck({ fsck, backends }: StorageHealth, now: Date): readonly Concern[] {
  const found = fsck.flatMap(({ backend, findings }): Concern[] => {
    const kinds = Object.entries(findings).map(([kind, count]) => `${count} ${kind.replaceAll('_', ' ')}`);
    const says = `The last check of ${backend} found: ${kinds.join(', ')}.`;
    return kinds.length === 0 ? [] : [{ level: 'broken', says, fix: 'rowlock fsck, then rowlock fsck --repair' }];
  });
  const unchecked = backends.flatMap(({ name }): Concern[] => {
    const last = fsck.find(({ backend }) => backend === name);
    const when = last?.ended_at ?? last?.started_at;
    if (when !== undefined && days(when, now) <= fsckDaysMax) {
      return [];
    }
    const since = when === undefined ? 'never' : `for ${Math.round(days(when, now))} days not`;
    return [{ level: 'watch', says: `Rows and bytes of ${name} were ${since} compared.`, fix: 'rowlock fsck' }];
  });
  return [...found, ...unchecked];
}

function ofJobs({ leader, queues }: JobOverview): readonly Concern[] {
  const late = queues.flatMap(({ name, oldest_due_seconds, workers, paused_at }): Concern[] => {
    if (oldest_due_seconds === null || oldest_due_seconds <= waitSecondsMax) {
      return [];
    }
    const says = `A job in the queue ${name} has been due for ${durationInWords(oldest_due_seconds)}.`;
    if (paused_at !== null) {
      return [{ level: 'watch', says: `${says} The queue is paused.`, fix: `rowlock jobs resume ${name}` }];
    }
    return workers === 0
      ? [
          {
            level: 'broken',
            says: `${says} No worker of ours serves it.`,
            fix: `let a worker run with this queue: rowlock work --queues ${name}`,
          },
        ]
      : [{ level: 'watch', says, fix: `run more workers with this queue: rowlock work --queues ${name}` }];
  });
  const noLeader: Concern = {
    level: 'broken',
    says: 'No worker leads: failed jobs are not retried, and nothing is cleaned up.',
    fix: 'let a worker run: rowlock work, or rowlock serve --with-workers',
  };
  return leader === null ? [noLeader, ...late] : late;
}

function ofUpkeep({ upkeep }: StorageHealth): readonly Concern[] {
  const { expired_uploads, overdue_versions, quarantined, unchecked } = upkeep;
  const overdue = expired_uploads + overdue_versions;
  const found: (Concern | false)[] = [
    overdue > 0 && {
      level: 'watch',
      says: `${overdue} uploads and purges are overdue by more than an hour.`,
      fix: 'let a worker of the queue maintenance run, or rowlock sweep',
    },
    quarantined > 0 && {
      level: 'watch',
      says: `${quarantined} versions are in quarantine and not served.`,
      fix: 'rowlock quarantine list; release or purge each',
    },
    unchecked > 0 && {
      level: 'watch',
      says: `${unchecked} files have waited for their scan for more than a quarter of an hour.`,
      fix: 'let a worker of the queue checks run, with its scanner',
    },
  ];
  return found.filter((each) => each !== false);
}

function ofQuotas({ quotas }: StorageHealth): readonly Concern[] {
  return quotas
    .filter(({ fullness }) => fullness >= fullnessMax)
    .map(({ scope, bucket_id, owner_id, fullness }) => ({
      level: 'watch',
      says: `The quota of ${scope === 'owner' ? `the owner ${owner_id ?? ''}` : `the bucket ${bucket_id ?? ''}`} is ${Math.round(fullness * 100)} % full.`,
      fix: 'raise it, or delete files; PUT /storage/v1/quota, or the bucket’s settings',
    }));
}

function ofTables({ tables }: StorageHealth): readonly Concern[] {
  return tables
    .filter(({ rows_dead, rows_live }) => rows_dead >= deadRowsMin && rows_dead > deadShareMax * rows_live)
    .map(({ name, rows_dead, bytes }) => ({
      level: 'watch',
      says: `The table ${name} (${bytesInWords(bytes)}) has ${rows_dead.toLocaleString('en')} dead rows.`,
      fix: `VACUUM (ANALYZE) ${name}; look for old transactions that hold autovacuum back`,
    }));
}
