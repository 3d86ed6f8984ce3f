/** What every part of a worker shares. It holds values only and does nothing. */
import type { Pool } from 'pg';
import type { SchemaName } from '../schema-name.ts';
import type { Clock } from './clock.ts';
import type { Observe } from './observation.ts';

/** The surroundings of a worker's parts. */
export interface WorkerContext {
  readonly pool: Pool;
  readonly schema: SchemaName;
  readonly client_id: string;
  readonly clock: Clock;
  /** Returns numbers in [0, 1). */
  readonly random: () => number;
  readonly observe: Observe;
}

/** What an attempt needs of them: it writes only where its handler says. */
export type AttemptSurroundings = Omit<WorkerContext, 'pool'>;
