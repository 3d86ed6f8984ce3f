/**
 * How the storage fares, for its operators: what the database reports, how fast the stores answer, what the bytes would cost.
 * The service role's alone, which the database decides before any store is asked. It repairs nothing.
 */
import { setTimeout as after } from 'node:timers/promises';
import type { Backend } from '../backend/backend.ts';
import type { Backends } from '../backend/backends.ts';
import type { Caller } from '../domain/caller.ts';
import { type Estimate, estimateCosts, type Prices } from '../domain/storage-costs.ts';
import { type HealthReport, selectHealthReport } from '../metadata/storage-health.ts';
import type { OperationContext } from './context.ts';
import { refusalFor } from './refusals.ts';

/** How fast a store took a small write, or that it did not. */
export interface StoreAnswer {
  readonly name: string;
  readonly ok: boolean;
  /** Null where nothing came in time. */
  readonly milliseconds: number | null;
}

/** What the stored bytes would cost in a month at each place, if nothing left. */
export interface CostReport {
  readonly as_of: string;
  readonly currency: string;
  readonly bytes: number;
  readonly places: readonly Estimate[];
}

export interface Health extends HealthReport {
  readonly stores: readonly StoreAnswer[];
  /** Round trip of the report itself. */
  readonly database_milliseconds: number;
  readonly costs: CostReport | null;
}

const storeDeadlineMs = 5000;
/** Stores are asked at most so often, whoever looks. */
const freshForMs = 5000;

const asked = new WeakMap<Backends, { readonly at: number; readonly answers: Promise<readonly StoreAnswer[]> }>();

/** Reports. @throws RowlockError `not_allowed`, `auth_required` */
export async function showHealth(
  { db, backends }: OperationContext,
  caller: Caller,
  prices: Prices | undefined,
): Promise<Health> {
  const begun = performance.now();
  let report: HealthReport;
  try {
    report = await selectHealthReport(db, caller);
  } catch (error) {
    throw refusalFor(caller, error);
  }
  const database_milliseconds = Math.round(performance.now() - begun);
  const bytes = report.backends.reduce((sum, each) => sum + each.bytes, 0);
  const costs =
    prices === undefined
      ? null
      : {
          as_of: prices.as_of,
          currency: prices.currency,
          bytes,
          places: estimateCosts(prices, { bytes, egress_bytes: 0 }),
        };
  return { ...report, stores: await storeAnswers(backends), database_milliseconds, costs };
}

function storeAnswers(backends: Backends): Promise<readonly StoreAnswer[]> {
  const now = performance.now();
  const last = asked.get(backends);
  if (last !== undefined && now - last.at < freshForMs) {
    return last.answers;
  }
  const answers = Promise.all([...backends].map(answerOf));
  asked.set(backends, { at: now, answers });
  return answers;
}

/** What is wrong with a store goes to the log of the look at it, not to callers: it may name keys and hosts. */
async function answerOf(backend: Backend): Promise<StoreAnswer> {
  const begun = performance.now();
  const ending = new AbortController();
  const late = after(storeDeadlineMs, undefined, { signal: ending.signal }).then(() => null);
  late.catch(() => undefined);
  const checked = backend.check().then(
    () => true,
    () => false,
  );
  const ok = await Promise.race([checked, late]);
  ending.abort();
  const milliseconds = ok === null ? null : Math.round(performance.now() - begun);
  return { name: backend.name, ok: ok === true, milliseconds };
}
