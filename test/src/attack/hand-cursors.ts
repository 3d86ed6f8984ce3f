/** Cursors of listings that nobody gave, made from one that somebody did. It asks nothing by itself. */

/** Every way to spoil a cursor that is still a text. */
export function handCursors(given: string): readonly string[] {
  const [print, name] = JSON.parse(Buffer.from(given, 'base64url').toString()) as [string, string];
  const made = (fields: unknown): string => Buffer.from(JSON.stringify(fields)).toString('base64url');
  return [
    '',
    '.',
    'null',
    'A'.repeat(20_000),
    made(null),
    made({ print, name }),
    made(['', name, 0, null]),
    made([print, name, 1, null]),
    made([print, name, 0, '2026-01-01T00:00:00Z']),
    made([print, `${name}\u0000`, 0, null]),
    made([print, "' OR true --", 2, null]),
    made([print, { name }, 0, null]),
    made([print, 'n'.repeat(2000), 0, null]),
    made([...'abcdef']),
  ];
}
