/**
 * Text that PostgreSQL accepts as jsonb. JSON allows a NUL and half of a surrogate pair in a string, jsonb allows
 * neither, and one such character must not make a whole batch of results fail.
 */

/** An escape in JSON text. JSON.stringify escapes surrogates only where they stand alone. */
const escapes = /\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g;
/** What may be one that jsonb refuses. Without any, megabytes of other escapes need not be gone through one by one. */
const suspicion = /\\u(?:0000|d[89a-f])/;

/** Writes a value as JSON for a jsonb parameter; what jsonb refuses in keys and strings is replaced by U+FFFD. */
export function jsonbText(value: unknown): string {
  return jsonbSafe(JSON.stringify(value) ?? 'null');
}

/** Makes JSON that was written with the escapes of JSON.stringify acceptable to jsonb, in the same way. */
export function jsonbSafe(json: string): string {
  if (!suspicion.test(json)) return json;
  return json.replace(escapes, (whole, code: string) => (code.length > 1 ? '\uFFFD' : whole));
}
