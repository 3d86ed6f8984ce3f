/** From fields of a query or of headers those that are there, though they may be empty: undefined ones are not sent. */
export function filled(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

/** The same as a query, with its question mark; nothing where there is nothing to ask. */
export function queryOf(fields: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(filled(fields)).toString();
  return query && `?${query}`;
}
