/** How PostgREST answers errors: SQLSTATE to HTTP status, and its four fields. The table is that of its manual. */
import pg from 'pg';

/** What PostgREST itself refuses, before or after the database. */
export class PostgrestRefusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface PostgrestErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details: string | null;
  readonly hint: string | null;
}

/** The first that fits: whole states before classes. */
const statuses: readonly (readonly [RegExp, number])[] = [
  [/^PT[1-5]\d\d$/, 0],
  [/^08/, 503],
  [/^(0L|0P|28)/, 403],
  [/^(23503|23505)$/, 409],
  [/^25006$/, 405],
  [/^53400$/, 500],
  [/^(53|57P01)/, 503],
  [/^P0001$/, 400],
  [/^(09|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|XX)/, 500],
  [/^(42883|42P01)$/, 404],
  [/^42P17$/, 500],
];

function statusOf({ code = '', message }: pg.DatabaseError, authenticated: boolean): number {
  if (code === '42501') return authenticated ? 403 : 401;
  if (code === '22023' && /role "/.test(message)) return 401;
  const found = statuses.find(([pattern]) => pattern.test(code))?.[1];
  return found === 0 ? Number(code.slice(2)) : (found ?? 400);
}

/** Status and body of an error that a statement raised. @throws what neither database nor PostgREST said */
export function postgrestError(
  error: unknown,
  authenticated: boolean,
): { readonly status: number; readonly body: PostgrestErrorBody } {
  if (error instanceof PostgrestRefusal) {
    const { code, message, status } = error;
    return { status, body: { code, message, details: null, hint: null } };
  }
  if (!(error instanceof pg.DatabaseError)) throw error;
  const { code = '', message, detail = null, hint = null } = error;
  return { status: statusOf(error, authenticated), body: { code, message, details: detail, hint } };
}
