/**
 * The one row that says who leads, in River's form. Every change is a single statement that decides by the database's
 * clock, so that two clients never both succeed. A term is known by the very microsecond in which it began: it is kept
 * as text, since a Date would cut it to milliseconds and no renewal would find it again.
 */
import { channelName, type SchemaName } from '../schema-name.ts';
import { defineStatement, type Queryable, run, text } from './statement.ts';

/** A client's term of leadership. */
export interface LeaderTerm {
  readonly client_id: string;
  /** ISO 8601 in UTC, with microseconds. */
  readonly elected_at: string;
}

const elect = defineStatement(
  'leader_elect',
  (schema) => `
    INSERT INTO ${schema}.river_leader AS leader (leader_id, elected_at, expires_at)
    VALUES ($1, now(), now() + make_interval(secs => $2::float8))
    ON CONFLICT (name) DO UPDATE SET
      leader_id = excluded.leader_id,
      elected_at = excluded.elected_at,
      expires_at = excluded.expires_at
    WHERE leader.expires_at < now()
    RETURNING to_char(elected_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS elected_at`,
);

const renew = defineStatement(
  'leader_renew',
  (schema) => `
    UPDATE ${schema}.river_leader
    SET expires_at = now() + make_interval(secs => $3::float8)
    WHERE elected_at = $2::timestamptz AND leader_id = $1 AND expires_at >= now()
    RETURNING name`,
);

const resign = defineStatement(
  'leader_resign',
  (schema) => `
    WITH resigned AS (
      DELETE FROM ${schema}.river_leader WHERE elected_at = $2::timestamptz AND leader_id = $1
      RETURNING leader_id
    )
    SELECT pg_notify($3, json_build_object('leader_id', leader_id, 'action', 'resigned')::text) AS notified
    FROM resigned`,
);

const isLed = defineStatement(
  'leader_exists',
  (schema) => `SELECT EXISTS (SELECT FROM ${schema}.river_leader WHERE expires_at >= now()) AS is_led`,
);

/** How long a client may lead, and for how long it waits for an answer. */
export interface ElectionTimes {
  readonly ttl_seconds: number;
  readonly timeout_ms: number;
}

/** Takes the lead if nobody has it, and returns the new term, or undefined when somebody leads. */
export async function leaderElect(
  on: Queryable,
  schema: SchemaName,
  clientId: string,
  times: ElectionTimes,
): Promise<LeaderTerm | undefined> {
  const { rows } = await run<'elected_at'>(on, elect(schema), [clientId, times.ttl_seconds], times.timeout_ms);
  const row = rows[0];
  return row === undefined ? undefined : { client_id: clientId, elected_at: text(row, 'elected_at') };
}

/** Prolongs a term, and returns false when it has ended: expired, resigned, or replaced by another one. */
export async function leaderRenew(
  on: Queryable,
  schema: SchemaName,
  term: LeaderTerm,
  times: ElectionTimes,
): Promise<boolean> {
  const values = [term.client_id, term.elected_at, times.ttl_seconds];
  return (await run<'name'>(on, renew(schema), values, times.timeout_ms)).rows.length === 1;
}

/** Ends a term and tells the others, in one transaction. Returns false when it had ended before; nobody is told then. */
export async function leaderResign(
  on: Queryable,
  schema: SchemaName,
  term: LeaderTerm,
  times: ElectionTimes,
): Promise<boolean> {
  const values = [term.client_id, term.elected_at, channelName(schema, 'river_leadership')];
  return (await run<'notified'>(on, resign(schema), values, times.timeout_ms)).rows.length === 1;
}

/** Whether anybody leads, of whatever language. */
export async function leaderExists(on: Queryable, schema: SchemaName): Promise<boolean> {
  const { rows } = await run<'is_led'>(on, isLed(schema));
  return rows[0]?.is_led === 't';
}
