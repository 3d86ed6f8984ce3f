/**
 * What a client is made from, and how the options of an insert are found: what the call says comes first, then what
 * its kind says, then the client's defaults, then River's. It opens nothing.
 */
import type { ClientBase, Pool } from 'pg';
import { assertKind, type InsertOptions, type JobInsertOptions } from '../job-insert-options.ts';
import type { Clock } from '../worker/clock.ts';

/** The arguments of any kind. */
export type AnyKinds = Record<string, unknown>;

/** A job of one kind, with the arguments of that kind. */
export interface JobOfKind<Kinds extends object, Kind extends keyof Kinds & string> extends InsertOptions {
  readonly kind: Kind;
  readonly args: Kinds[Kind];
}

/** A job of any of the kinds. */
export type JobOf<Kinds extends object> = {
  [Kind in keyof Kinds & string]: JobOfKind<Kinds, Kind>;
}[keyof Kinds & string];

/** What a client takes. */
export interface ClientOptions<Kinds extends object = AnyKinds> {
  /**
   * A pool, which stays the caller's; a connection, also one in a transaction; or a connection string, for a pool of
   * the client's own that `close` ends. Without it, only what takes a transaction can be called.
   */
  readonly database?: Pool | ClientBase | string;
  /** The schema of River's tables. */
  readonly schema: string;
  /** By kind, how its jobs are inserted where a call does not say otherwise. */
  readonly kinds?: { readonly [Kind in keyof Kinds & string]?: InsertOptions };
  /** How jobs are inserted where neither the call nor the kind says otherwise. */
  readonly defaults?: InsertOptions;
  /** Says which unique period it is now. Default: the system's. */
  readonly clock?: Clock;
}

/** Defaults by kind, and for all kinds. */
export interface InsertDefaults {
  readonly kinds: Readonly<Record<string, InsertOptions | undefined>>;
  readonly all: InsertOptions;
}

/** @throws QueueError `invalid_job` for the name of a kind */
export function insertDefaults<Kinds extends object>(options: ClientOptions<Kinds>): InsertDefaults {
  const kinds: InsertDefaults['kinds'] = options.kinds ?? {};
  for (const kind of Object.keys(kinds)) assertKind(kind);
  return { kinds, all: options.defaults ?? {} };
}

/** Fills in what a call leaves open. An option counts as a whole: tags of a call are not added to those of its kind. */
export function withDefaults(job: JobInsertOptions, { kinds, all }: InsertDefaults): JobInsertOptions {
  const ofKind = Object.hasOwn(kinds, job.kind) ? kinds[job.kind] : undefined;
  return { ...said(all), ...said(ofKind), ...said(job), kind: job.kind, args: job.args };
}

/** What is undefined says nothing. */
function said<Options extends object>(options: Options | undefined): Partial<Options> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Options>;
}
