/** Makes the id under which a worker claims jobs, in the form of River's: who, and since when. Unique for a process. */

/** River's limit; the database allows a little more. */
export const clientIdLengthMax = 100;

/**
 * Makes `<host>_<UTC time with microseconds>`; points in the host's name become underscores, at most 60 of its
 * characters are kept.
 *
 * A Date has milliseconds only, so the last three digits are taken from `random`.
 */
export function makeClientId(host: string, now: number, random: () => number): string {
  const time = new Date(now).toISOString().replace(/[-:.]/g, '_').replace('Z', '');
  const rest = String(Math.floor(random() * 1000)).padStart(3, '0');
  return `${host.replaceAll('.', '_').slice(0, 60)}_${time}${rest}`;
}
