/**
 * A short look at database and store for whoever starts the service: do they answer, do they belong together, is anything
 * left lying. It repairs nothing and reads no bytes; `fsck` does. Invariant: it ends within its time, whatever hangs, and
 * never throws: what failed is what it found.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import type { Backend } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import { isKey } from '../backend/keys.ts';
import type { Observe } from '../domain/observation.ts';
import type { Database } from '../metadata/database.ts';
import { healthFacts, versionSample, versionsStored } from '../metadata/fsck.ts';
import { knownSteps } from '../metadata/inspect-database.ts';

/** One thing that was looked at. */
export interface HealthFinding {
  readonly check: 'database' | 'schema' | 'login role' | 'store' | 'sweep' | 'sample' | 'quarantine' | 'checks';
  readonly state: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** Whether `says` is the text of a driver or a store, which may name hosts and keys: for logs, not for answers. */
  readonly is_foreign?: true;
  /** What to do about it, in words that anybody may read. */
  readonly fix?: string;
}

export interface HealthOptions {
  /** How many versions are looked for in the store; needs the worker's rights. Default none. */
  readonly sample?: number;
  /** Each check ends by then, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

interface Parts {
  readonly db: Database;
  readonly backends: Backends;
}

/** Looks when it is asked to, reports, and remembers what it found last. */
export class HealthWatch {
  readonly #parts: Parts;
  readonly #observe: Observe;
  readonly #options: HealthOptions;
  #last: readonly HealthFinding[] = [];
  #isStopped = false;

  constructor(parts: Parts, observe: Observe, options: HealthOptions = {}) {
    this.#parts = parts;
    this.#observe = observe;
    this.#options = options;
  }

  get last(): readonly HealthFinding[] {
    return this.#last;
  }

  async look(): Promise<readonly HealthFinding[]> {
    const found = await checkHealth(this.#parts, this.#options);
    if (this.#isStopped) return found; // a database that we closed is no finding
    this.#last = found;
    for (const finding of found) this.#observe({ type: 'health', ...finding });
    return found;
  }

  stop(): void {
    this.#isStopped = true;
  }
}

interface Facts extends Record<string, unknown> {
  readonly has_versions: boolean;
  readonly expired_uploads: string;
  readonly overdue_versions: string;
  readonly steps: readonly string[];
  readonly quarantined: string;
  readonly unchecked: string;
  readonly role: string;
  readonly is_unbound: boolean;
  readonly is_read_only: boolean;
}

/** Looks at everything at once. */
async function checkHealth(parts: Parts, options: HealthOptions = {}): Promise<readonly HealthFinding[]> {
  const { sample = 0, timeoutMs = 5000 } = options;
  const within = async (check: HealthFinding['check'], work: Promise<HealthFinding[]>): Promise<HealthFinding[]> => {
    const late = new AbortController();
    const timeUp = after(timeoutMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    try {
      return await Promise.race([work, timeUp]);
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      return [{ check, state: 'fail', says, is_foreign: true, fix: fixes[check] }];
    } finally {
      late.abort();
      timeUp.catch(() => undefined);
    }
  };
  const stores = [...parts.backends];
  let facts: Facts | undefined;
  const found = await Promise.all([
    within(
      'database',
      factsOf(parts.db).then((told) => {
        facts = told;
        return judgeDatabase(told);
      }),
    ),
    ...stores.map((backend) => within('store', checkStore(backend))),
    ...(sample > 0 ? stores.map((backend) => within('sample', checkSample(parts.db, backend, sample))) : []),
  ]);
  // Of several, one may rightly be empty.
  const [only, ...others] = stores;
  const isBelonging =
    facts?.has_versions === true && only !== undefined && others.length === 0
      ? await within('store', checkBelonging(only))
      : [];
  return [...found.flat(), ...isBelonging];
}

const fixes = {
  database: 'look at the database; rowlock doctor says more',
  schema: 'rowlock migrate',
  'login role': 'log in as rowlock_authenticator or rowlock_worker',
  store: 'look at STORAGE_ROOT: its volume, its owner, its free space',
  sweep: 'let a worker of the queue maintenance run: rowlock work',
  sample: 'rowlock fsck',
  quarantine: 'rowlock quarantine list names them; release or purge each',
  checks: 'let a worker of the queue checks run, with its scanner: rowlock work',
} as const;

async function factsOf(db: Database): Promise<Facts> {
  const [facts] = await db.run<Facts>(healthFacts, []);
  if (facts === undefined) throw new Error('the database says nothing of itself');
  return facts;
}

async function judgeDatabase(facts: Facts): Promise<HealthFinding[]> {
  const found: HealthFinding[] = [{ check: 'database', state: 'ok', says: `answers as ${facts.role}` }];
  if (facts.is_read_only) {
    found[0] = { check: 'database', state: 'fail', says: 'takes no writes', fix: 'use the primary' };
  }
  if (facts.is_unbound) {
    const says = `row-level security does not bind ${facts.role}`;
    found.push({ check: 'login role', state: 'fail', says, fix: fixes['login role'] });
  }
  const ours = await knownSteps();
  const missing = ours.filter((step) => !facts.steps.includes(step));
  const newer = facts.steps.filter((step) => !ours.includes(step));
  if (missing.length > 0) {
    found.push({ check: 'schema', state: 'fail', says: `lacks ${missing.join(', ')}`, fix: fixes.schema });
  } else if (newer.length > 0) {
    const says = `has ${newer.join(', ')}, which this program does not know`;
    found.push({ check: 'schema', state: 'warn', says, fix: 'update this program' });
  } else {
    found.push({ check: 'schema', state: 'ok', says: `${ours.length} steps` });
  }
  const left = Number(facts.expired_uploads) + Number(facts.overdue_versions);
  const says = left === 0 ? 'nothing is overdue' : `${left} uploads and purges are overdue by more than an hour`;
  if (Number(facts.quarantined) > 0) {
    const inQuarantine = `${facts.quarantined} versions are not served: they are in quarantine`;
    found.push({ check: 'quarantine', state: 'warn', says: inQuarantine, fix: fixes.quarantine });
  }
  if (Number(facts.unchecked) > 0) {
    const waiting = `${facts.unchecked} files wait to be looked at for more than a quarter of an hour`;
    found.push({ check: 'checks', state: 'warn', says: waiting, fix: fixes.checks });
  }
  found.push({ check: 'sweep', state: left === 0 ? 'ok' : 'warn', says, ...(left > 0 && { fix: fixes.sweep }) });
  return found;
}

/** Whether the store takes writes and makes them visible at once. */
async function checkStore(backend: Backend): Promise<HealthFinding[]> {
  await backend.check();
  return [{ check: 'store', state: 'ok', says: 'takes writes' }];
}

/** Whether it is the empty folder of a volume that is away, though the database knows of bytes. */
async function checkBelonging(backend: Backend): Promise<HealthFinding[]> {
  for await (const _ of backend.list()) return [];
  const says = 'is empty, and the database knows of stored versions';
  return [{ check: 'store', state: 'fail', says, fix: `${fixes.store}; then rowlock fsck` }];
}

/** Looks for the bytes of some versions, from a random key on. */
async function checkSample(db: Database, backend: Backend, count: number): Promise<HealthFinding[]> {
  const start = `objects/${randomBytes(1).toString('hex')}/`;
  const rows = await db.run<{ id: string; key: string; size: string }>(versionSample, [backend.name, start, count]);
  const suspected: string[] = [];
  for (const { id, key, size } of rows) {
    const there = isKey(key) ? await backend.head(key) : undefined;
    if (String(there?.size) !== size) suspected.push(id);
  }
  const lost = suspected.length === 0 ? [] : await db.run(versionsStored, [suspected]);
  return lost.length === 0
    ? [{ check: 'sample', state: 'ok', says: `${rows.length} versions have their bytes` }]
    : [
        {
          check: 'sample',
          state: 'fail',
          says: `${lost.length} of ${rows.length} versions do not have their bytes`,
          fix: fixes.sample,
        },
      ];
}
