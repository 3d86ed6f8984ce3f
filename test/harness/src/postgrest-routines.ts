/** The functions of a schema as PostgREST's cache has them. It only reads the catalog. */
import type pg from 'pg';

export interface RoutineParameter {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
}

export interface Routine extends Record<string, unknown> {
  readonly schema: string;
  readonly name: string;
  readonly parameters: readonly RoutineParameter[];
  readonly is_volatile: boolean;
  readonly returns_set: boolean;
  /** Whether a call's result is one value, rather than a row with columns. */
  readonly returns_scalar: boolean;
  readonly return_type: string;
}

const routines = `SELECT n.nspname AS schema, p.proname AS name, p.provolatile = 'v' AS is_volatile, p.proretset AS returns_set,
    t.typtype <> 'c' AND NOT (t.typname = 'record' AND coalesce(p.proargmodes && '{o,b,t}', false)) AS returns_scalar,
    format_type(p.prorettype, NULL) AS return_type,
    coalesce((
      SELECT json_agg(json_build_object('name', coalesce(p.proargnames[place], ''), 'type', format_type(type, NULL),
        'required', place <= p.pronargs - p.pronargdefaults) ORDER BY place)
      FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, place)
    ), '[]') AS parameters
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_type AS t ON t.oid = p.prorettype
  WHERE n.nspname = $1 AND p.prokind = 'f'`;

/** Reads the functions of a schema. */
export async function routinesOf(pool: pg.Pool, schema: string): Promise<readonly Routine[]> {
  return (await pool.query<Routine>(routines, [schema])).rows;
}
