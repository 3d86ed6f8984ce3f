/**
 * What tests know of PostgREST: one request and one answer. It is answered by the program that POSTGREST_BIN names, over
 * HTTP, and without one by an imitation of its transactions. Tests are written once, and hold for both.
 */
import type { MigratedDatabase } from './migrated-database.ts';
import { PostgrestCaller } from './postgrest-caller.ts';
import { startPostgrestProgram } from './postgrest-program.ts';

/** Claims of a verified token; `role` becomes the database role, the anonymous one without. */
export type PostgrestClaims = Readonly<Record<string, unknown>>;

export interface PostgrestRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** `/rpc/name` or `/relation`. */
  readonly path: string;
  /** Arguments of a function that is called by GET, or filters and `select`, `order`, `limit`, `offset` of a relation. */
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes go as they are; everything else as JSON. */
  readonly body?: unknown;
  /** Nobody unless given. */
  readonly as?: PostgrestClaims | undefined;
}

export interface PostgrestAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** The body, which is JSON. */
  json<T = unknown>(): T;
}

/** A PostgREST, or what stands for it, over one database. */
export interface Postgrest {
  /** Whether it is the program itself. */
  readonly isReal: boolean;
  ask(request: PostgrestRequest): Promise<PostgrestAnswer>;
  /** Looks at the schema again, as `NOTIFY pgrst` asks. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the program that POSTGREST_BIN names; without it, the imitation. */
export async function startPostgrest(database: MigratedDatabase): Promise<Postgrest> {
  const program = process.env['POSTGREST_BIN'];
  return program === undefined || program === ''
    ? new PostgrestCaller(database.apiUrl)
    : await startPostgrestProgram(program, database);
}
