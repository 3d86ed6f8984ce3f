/**
 * What kind of failure a statement met, as far as a worker acts on it. Everything that is not certain to be the fault
 * of the values is taken to be the fault of the moment, and tried again.
 */

/** Returns the SQLSTATE of an error, or undefined where the server did not answer with one. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/**
 * Whether the values are at fault, so that the same statement would fail again: data exceptions, constraints, and what
 * is too large or too deep for the server.
 */
export function isFaultOfValues(error: unknown): boolean {
  return /^(2[23]|54)/.test(sqlState(error) ?? '');
}

/** Whether PostgreSQL ended the statement because it and others waited for each other's locks. */
export function isDeadlock(error: unknown): boolean {
  return sqlState(error) === '40P01';
}
